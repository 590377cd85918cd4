"""Files with private keys that ssh itself reads: nothing is written on, so what mends them is said."""

from __future__ import annotations

from pathlib import Path

from infra.handed_over.ssh_key import ssh_key
from infra.handed_over.text import HandedOverError


def what_mends(file: Path) -> str:
    """What a file is that ssh does not take for a private key, and the command that makes one of it.

    Empty where the file is not the reason. Raises OSError when it cannot be read.
    """
    raw = file.read_bytes()
    try:
        ssh_key(raw.decode(errors="replace"))
    except HandedOverError as error:
        return str(error).replace("FILE", str(file)).replace("COPY", str(file))
    new = f"{file}.new"
    if b"\0" in raw:
        return f"is in UTF-16; run: iconv -f utf-16 -t utf-8 {file} >{new}, then dos2unix {new}"
    if b"\r" in raw.replace(b"\r\n", b""):
        return f"has the line ends of an old Mac; run: tr '\\r' '\\n' <{file} >{new}"
    if b"\r\n" in raw or raw.startswith(b"\xef\xbb\xbf"):
        return f"has the line ends or the mark of an editor of Windows; run: dos2unix {file}"
    if any(line[:1].isspace() for line in raw.splitlines() if line.strip()) or raw.count(b"\n") < 3:
        return "has its lines indented or joined; take it anew from where it was made"
    return ""
