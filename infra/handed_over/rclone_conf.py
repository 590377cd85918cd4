"""rclone.conf, as people have it."""

from __future__ import annotations

import re
from typing import Final

from infra.handed_over.text import HandedOverError, plain

_SECTION: Final = re.compile(r"\[\s*([^\[\]\s](?:[^\[\]]*[^\[\]\s])?)\s*\]")
_KEY: Final = re.compile(r"[A-Za-z0-9_.-]+")
_BLANKED: Final = ("*** ENCRYPTED ***", "XXX")
"""What `rclone config show` and `rclone config redacted` print for passwords."""


def rclone_conf(given: str, remote: str) -> str:
    """The configuration, one `key = value` to a line, as rclone itself writes it.

    :param remote: `section:path`, for the section that must be there.

    Raises HandedOverError with the line's number and the way out.
    """
    text = plain(given)
    _check_form(text)
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for number, ended in enumerate(text.split("\n"), 1):
        line = ended.strip()
        if not line or line[0] in "#;":
            continue
        if found := _SECTION.fullmatch(line):
            current = sections.setdefault(found[1], {})
            continue
        if current is None:
            raise HandedOverError(f"line {number} is before any [section]; give the file whole: {_WHERE}")
        key, value = _setting(line, number)
        current[key] = value
    _check_section(sections, remote.partition(":")[0])
    lines = [
        line
        for name, values in sections.items()
        for line in (f"[{name}]", *(f"{key} = {value}" for key, value in values.items()), "")
    ]
    return "\n".join(lines)


_WHERE: Final = "`rclone config file` tells where it is"


def _check_form(text: str) -> None:
    """Raises HandedOverError for what rclone prints in place of the file, or cannot read by itself."""
    if "RCLONE_ENCRYPT_V" in text:
        raise HandedOverError(
            "has a password of its own; take it off a copy: rclone config encryption remove"
        )
    if text.lstrip().startswith("{"):
        raise HandedOverError(f"is JSON, as `rclone config dump` prints it; give the file itself: {_WHERE}")
    if "-----BEGIN" in text and "[" not in text:
        raise HandedOverError(f"is a key or certificate, not an rclone.conf; {_WHERE}")


def _setting(line: str, number: int) -> tuple[str, str]:
    """One line's key and value. Raises HandedOverError."""
    parted = re.split(r"[=:]", line, maxsplit=1)
    key = parted[0].strip()
    if len(parted) == 1 or not _KEY.fullmatch(key):
        raise HandedOverError(f"line {number} is not KEY = VALUE; one that was broken must be joined again")
    value = parted[1].strip()
    if value in _BLANKED:
        raise HandedOverError(f"line {number} has its value blanked out; give the file itself: {_WHERE}")
    if quoted := re.fullmatch(r"\"([^\",]*)\"|'([^',]*)'", value):
        value = quoted[1] or quoted[2] or ""  # rclone would take the quotes for a part of it
    if value[:1] == "`" or value.startswith('"""') or not value.isprintable():
        raise HandedOverError(
            f"line {number} has signs that rclone reads as something else; write it plainly"
        )
    return key, value


def _check_section(sections: dict[str, dict[str, str]], name: str) -> None:
    if name not in sections:
        there = ", ".join(sorted(sections)) or "none"
        raise HandedOverError(f"has no section [{name}], which the space's remote names; it has: {there}")
    if not sections[name].get("type"):
        raise HandedOverError(f"has no `type` in its section [{name}]; make it with `rclone config`")
