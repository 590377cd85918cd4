"""The rules of settings in words: what a value must be, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FORMS: Final[Mapping[str, str]] = {
    "base": "write an image's name as `docker pull` takes it, such as user/image:tag or HOST/user/image:tag",
    "build": "write the name of a folder of hubconfig/images, such as corehub",
    "contact": "write one line of text: an e-mail address, a web address or a few words",
    "dataDir": "write a folder's whole path, such as /mnt, with letters, digits and . _ - only",
    "dataVolumeId": "write the volume's id, such as vol-0123456789abcdef0",
    "email": "write one plain address, such as ada@example.org, without a name in front of it",
    "folder": "write a path inside the repository with letters, digits and . _ - only",
    "home": "write a whole path with letters, digits and . _ - only, such as /home/user",
    "hostKey": "write type and key as ssh-keyscan prints them after the address: ssh-ed25519 AAAA...",
    "hostname": "write the name alone, such as hub.example.org: no https:// before it, no port or / after it",
    "hubs": "a hub's name has small letters, digits and single hyphens inside, 30 at most",
    "identityProvider": "write its entity id, such as https://idp.example.org/shibboleth or urn:mace:...",
    "image": "write an image's name as `docker pull` takes it, such as user/image:tag or HOST/user/image:tag",
    "interface": "write lab, notebook, or the name of one of the entry's interfaces",
    "mount": "write a whole path with letters, digits and . _ - only, such as /data, without / at its end",
    "name": "a name has small letters, digits and hyphens inside, 30 characters at most",
    "path": "write where the page is on a server, from its first /, such as /desktop/",
    "ref": "write a branch, a tag or a commit: letters, digits and . _ / -; put it in quotes",
    "region": "write a region's name, such as ca-central-1",
    "remote": "write where it is: USER@HOST:/PATH for sshfs, NAME:PATH for rclone, without blanks or commas",
    "repository": "write a folder's whole path, or a place that begins with s3: swift: rest: azure: gs: b2: "
    "or rclone:, without blanks",
    "source": "write a path with letters, digits and . _ - only",
    "subnetId": "write the subnet's id, such as subnet-0123456789abcdef0",
    "tag": "write a tag: letters, digits and . _ -, 128 at most; put it in quotes",
    "userDomain": "write a domain alone, such as users.example.org, or none",
}
"""Last word of a key to the form that its value must have."""

_TIME: Final = 'write a time with its zone, in quotes: "2026-11-30T18:00:00-08:00"'

_RULES: Final[Mapping[str, str]] = {
    "extra_forbidden": "is not a setting; remove it or correct its spelling",
    "missing": "is required; set it",
    "union_tag_not_found": "needs a kind that says which it is",
    "union_tag_invalid": "has a kind that there is not; the kinds are {expected_tags}",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be more than {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be less than {lt:g}",
    "too_short": "is empty; name at least {min_length}",
    "too_long": "has too many; name at most {max_length}",
    "string_too_short": "is too short; write at least {min_length} characters",
    "string_too_long": "is too long; write at most {max_length} characters",
    "finite_number": "must be a number that ends",
}
"""Pydantic's name of a fault to our words for it, which its figures are put into."""

_KINDS: Final[tuple[tuple[str, str], ...]] = (
    ("int_", "must be a whole number, written in digits and without a unit"),
    ("float_", "must be a number, written in digits and without a unit"),
    ("bool_", "must be true or false"),
    ("tuple_", "must be a list; write one entry on each line below it, with - before it"),
    ("model_", "must have its settings indented below it"),
    ("dict_", "must have its entries indented below it"),
    ("url_", "must be an address such as https://HOST/PATH"),
    ("datetime_", _TIME),
    ("timezone_", _TIME),
)
"""How pydantic's names of faults begin, to our words."""

REWRITTEN_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.\d+)? ([+-]\d{2})(\d{2}) (\S+)"
)
"""What Pulumi makes of a date or a time without quotes, in the stack file too."""


def rule_of(item: ErrorDetails, key: str) -> str:
    """What one of pydantic's faults is called, without the value and without a word of Python."""
    kind, context = item["type"], item.get("ctx") or {}
    if kind == "string_pattern_mismatch":
        word = re.split(r"[.\[]", re.sub(r"\[\d+\]$", "", key))
        form = FORMS["hubs"] if word[0] == "hubs" and len(word) == 2 else FORMS.get(word[-1])
        return f"has a form that cannot be; {form or 'see docs/settings.md'}"
    if kind == "string_type":
        return _not_a_text(item["input"])
    if kind in _RULES:
        return _RULES[kind].format(**context)
    for start, rule in _KINDS:
        if kind.startswith(start):
            return rule
    return item["msg"].removeprefix("Value error, ")


def _not_a_text(value: Any) -> str:
    if value is None:
        return "is empty; set it or remove it"
    if isinstance(value, bool):
        return "is a word that YAML takes for true or false (also yes, no, on, off); put it in quotes"
    if isinstance(value, int | float):
        return "is a number for YAML, which drops zeros in front of it; put it in quotes"
    return "must be one text, not a list and not settings below it"
