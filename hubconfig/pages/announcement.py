"""A message on every page, from a file that an administrator may change at any time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

LONGEST_BYTES = 4096
"""What is longer is cut: it stands above every page."""

_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")


@dataclass(frozen=True)
class Announcement:
    """The file's text as HTML, read whenever a page is made."""

    file: Path

    def __bool__(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.text)

    def __html__(self) -> str:
        """The text with its links and line breaks; nothing else in it is HTML."""
        parts, end = [], 0
        for found in _ADDRESS.finditer(self.text):
            address = escape(found[0])
            parts += [escape(self.text[end : found.start()]), f'<a href="{address}">{address}</a>']
            end = found.end()
        parts.append(escape(self.text[end:]))
        return "".join(parts).replace("\n", "<br>")

    @property
    def text(self) -> str:
        """What the file says now; nothing if it is not there or cannot be read."""
        try:
            with self.file.open("rb") as file:
                raw = file.read(LONGEST_BYTES)
        except OSError:
            return ""
        # As `>` of PowerShell writes; without a NUL it cannot be that.
        form = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") and b"\0" in raw else "utf-8-sig"
        return "\n".join(raw.decode(form, "replace").strip().splitlines())
