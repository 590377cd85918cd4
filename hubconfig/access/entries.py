"""What the lines of an access list mean, as people paste them. Pure: reads no file.

What has one meaning only is understood: lists with commas, quotes, bullets, brackets, mail addresses,
addresses at github.com. All else is a fault: a list must never let in more people than its reader expects.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_NEVER_IN_A_NAME = r"*?\"<>;,()\[\]{}=|\\`/"
"""Signs that stand for a wildcard, a table, a program or an address where somebody pasted a list."""

ENTRY = re.compile(
    r"(?i:org):(?P<org>[A-Za-z0-9-]+)"
    r"|(?i:team):(?P<team>[A-Za-z0-9-]+/[A-Za-z0-9_.-]+)"
    rf"|@?(?P<name>[^\s:#@{_NEVER_IN_A_NAME}][^\s:#{_NEVER_IN_A_NAME}]*)(?::(?P<id>[0-9]{{1,40}}))?"
)
"""One entry, once it has been taken out of its line."""

_LITERAL = re.compile(r"@?[^\s:#@][^\s:#]*(:[0-9]{1,40})?")
"""What might be somebody's name all the same, as some providers allow any sign."""

_BULLET = re.compile(r"(?:[-*+•·\u2013\u2014]|\(?[0-9]{1,4}[.)])\s+")
_SEPARATOR = re.compile(r"[,;\uff0c\uff1b、]")
_QUOTES = "\"'`“”„\u2018\u2019«»"
_MAIL = r"[^\s<>@,;\"]+@[^\s<>@,;\"]+"
_NAMED_MAIL = re.compile(rf"\s*(?:\"[^\"]*\"|[^<>\",;]*)\s*<\s*(?:mailto:)?({_MAIL})\s*>\s*(?:[,;]|$)")
_GITHUB = re.compile(
    r"(?i:https?://)?(?i:(?:www\.)?github\.com)/(?:"
    r"orgs/(?P<org>[A-Za-z0-9-]+)(?:/teams/(?P<team>[A-Za-z0-9_.-]+))?(?:/(?:people|members))?"
    r"|@?(?P<name>[A-Za-z0-9_-]+))/?(?:\?\S*)?"
)
_TABLE_WORDS = frozenset(
    [
        "active",
        "admin",
        "avatar",
        "date",
        "email",
        "false",
        "github",
        "group",
        "handle",
        "id",
        "login",
        "mail",
        "member",
        "name",
        "no",
        "owner",
        "role",
        "status",
        "student",
        "teacher",
        "team",
        "true",
        "user",
        "username",
        "yes",
    ]
)
"""Headings and cells of tables: beside them a name may be a surname or a group's."""


@dataclass(frozen=True)
class Understood:
    """The entries of one line, each in the form of `ENTRY`, or nothing but a fault."""

    entries: tuple[str, ...] = ()
    fault: bool = False
    perhaps: tuple[str, ...] = ()
    """Of a line with a fault: what could be somebody. Who is banned by mistake asks; who is not, acts."""


def understood(text: str) -> Understood:
    """What a line without its comment means; neither entries nor fault where it is punctuation only."""
    line = _BULLET.sub("", text.strip(), count=1) if _BULLET.match(text.strip()) else text.strip()
    if "<" in line:
        return _named_mails(line)
    parts = [_bare(part) for part in _SEPARATOR.split(_without_brackets(line))]
    words = [_without_address(part) for part in parts if part]
    if not words:
        return Understood(fault=not re.fullmatch(r"[\[{(\]})]+[,;]?", line))
    if all(ENTRY.fullmatch(word) for word in words) and not _is_a_table_s(words):
        return Understood(tuple(words))
    return Understood(fault=True, perhaps=tuple(word for word in words if _LITERAL.fullmatch(word)))


def visible(text: str) -> str:
    """Without surrounding space and without the invisible signs that come along when text is copied."""
    return "".join(sign for sign in text if unicodedata.category(sign) != "Cf").strip()


def _is_a_table_s(words: list[str]) -> bool:
    """Whether the parts of a line look like different things about one person."""
    return len(words) > 1 and (
        any(word.lower() in _TABLE_WORDS or word.isdigit() for word in words)
        or len({"@" in word[1:] for word in words}) > 1
    )


def _named_mails(line: str) -> Understood:
    """The addresses of `Name <mail>` or `<mail>`, one or several."""
    mails: list[str] = []
    at = 0
    while at < len(line) and (found := _NAMED_MAIL.match(line, at)):
        mails.append(found[1])
        at = found.end()
    if line[at:].strip() or not all(ENTRY.fullmatch(mail) for mail in mails):
        return Understood(fault=True, perhaps=tuple(re.findall(_MAIL, line)))
    return Understood(tuple(mails))


def _without_brackets(line: str) -> str:
    """A set or list of a program, or a line of one, without what encloses it."""
    inner = re.sub(r"^[\[{(]+\s*", "", line)
    return re.sub(r"\s*[\]})]+\s*([,;]?)$", r"\1", inner)


def _bare(part: str) -> str:
    """A part without space and quotes around it, and with none around its colon or slash."""
    word = part.strip()
    while len(word) > 1 and word[0] in _QUOTES and word[-1] in _QUOTES:
        word = word[1:-1].strip()
    return re.sub(r"\s*([:/])\s*", r"\1", word)


def _without_address(word: str) -> str:
    """The entry that an address at github.com, or one of mail with its scheme, stands for."""
    found = _GITHUB.fullmatch(word)
    if found is None:
        return word[7:] if re.fullmatch(rf"(?i:mailto:){_MAIL}", word) else word
    if team := found["team"]:
        return f"team:{found['org']}/{team}"
    return f"org:{org}" if (org := found["org"]) else found["name"]
