"""What restic needs for a remote place, as people have it: lines of its own, a shell's, a file of AWS."""

from __future__ import annotations

import re
from typing import Final

from hubconfig.backup.options import Refused, credentials
from infra.handed_over.text import HandedOverError, plain

_SHELLS: Final = re.compile(r"(?:export|set|setx)\s+(?=[A-Za-z_])|\$env:(?=[A-Za-z_])", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"\$[A-Za-z_{(]")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_AWS_FILE: Final = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
    "region": "AWS_DEFAULT_REGION",
}


def backup_credentials(given: str) -> str:
    """The lines NAME=value that the backup reads.

    Raises HandedOverError with the line's number and the way out, and nothing of the line.
    """
    found: dict[str, str] = {}
    sections = 0
    for number, ended in enumerate(plain(given).split("\n"), 1):
        line = ended.strip()
        if not line or line.startswith("#"):
            continue
        if re.fullmatch(r"\[[^\]]+\]", line):
            sections += 1
            if sections > 1:
                raise HandedOverError(
                    f"line {number} begins a second section; give only the one that is meant"
                )
            continue
        name, value = _setting(line, number)
        found[_OF_AWS_FILE.get(name, name)] = value
    lines = "".join(f"{name}={value}\n" for name, value in found.items())
    try:
        credentials(lines)
    except Refused:
        raise HandedOverError(_RULE) from None
    return lines


_RULE: Final = "must be lines NAME=value, such as AWS_ACCESS_KEY_ID=..., one to a line"


def _setting(line: str, number: int) -> tuple[str, str]:
    shells = _SHELLS.match(line)
    name, equals, value = (line[shells.end() :] if shells else line).partition("=")
    name, value = name.strip(), value.strip()
    if not equals or not _NAME.fullmatch(name):
        raise HandedOverError(f"line {number} is not NAME=value; write what restic needs so, one to a line")
    literal = value[:1] == "'"
    if re.fullmatch(r"\"[^\"]*\"|'[^']*'", value):
        value = value[1:-1]
    if shells and not literal and _VARIABLE.search(value):
        raise HandedOverError(f"line {number} takes its value from elsewhere; write the value itself")
    if "\ufffd" in value:
        raise HandedOverError(f"line {number} has a letter that is not UTF-8; save the file as UTF-8")
    if any(ord(sign) < 32 for sign in value):
        raise HandedOverError(f"line {number} has a sign that no program writes into a value; write it anew")
    return name, value
