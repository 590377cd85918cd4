"""Text as other systems write it."""

from __future__ import annotations

import re
from typing import Final

from hubconfig.secret_files import password_refusal

_INVISIBLE: Final = re.compile("[\ufeff\u200b\u200e\u200f\u2060]")
"""Byte order marks, and what comes along when text is copied from a page."""

_LINE_ENDS: Final = re.compile("\r\n|\r|\u2028|\u2029")


class HandedOverError(ValueError):
    """Something that cannot be used; the text is the rule and the way out, and nothing of its content."""


def plain(text: str) -> str:
    """A text with the line ends of Linux and without signs that nobody sees.

    What was in UTF-16 comes out of Pulumi with a NUL beside each letter, and letters beyond ASCII are lost
    then. Raises HandedOverError where that happened.
    """
    if "\0" in text:
        text = text.lstrip("\ufffd").replace("\0", "")
        if not text.isascii():
            raise HandedOverError(
                "was in UTF-16 (as `>` of PowerShell writes) or is no text; make it UTF-8 first: "
                "iconv -f utf-16 -t utf-8 FILE >FILE.txt"
            )
    return _LINE_ENDS.sub("\n", _INVISIBLE.sub("", text))


def to_utf8(name: object, raw: bytes) -> str:
    """The command that makes UTF-8 of a file that is not.

    :param name: the file, as its writer calls it.
    """
    form = "utf-16" if b"\0" in raw else "latin1"
    return f"iconv -f {form} -t utf-8 {name} >NEW && mv NEW {name}"


def one_line(text: str) -> str:
    """A text of one line, without space around it. Raises HandedOverError for another one."""
    line = plain(text).strip()
    if not line:
        raise HandedOverError("is empty; set it, or remove it with `pulumi config rm`")
    if "\n" in line:
        raise HandedOverError("has several lines; give the one that is meant")
    return line


def password(text: str, shortest: int) -> str:
    """A password that people type. Raises HandedOverError for one that the hub would not take."""
    found = plain(text).strip()
    if why := password_refusal(found, shortest):
        raise HandedOverError(why)
    return one_line(found)
