"""Host keys of machines with ssh, as people paste them."""

from __future__ import annotations

import base64
import re
import struct
from typing import Final

_TYPE: Final = re.compile(r"(?:ssh|ecdsa)-[a-z0-9-]+")
_INVISIBLE: Final = re.compile("[\ufeff\u200b\u200e\u200f\u2060]")


def host_key(text: object) -> object:
    """`TYPE KEY` of a line of ssh-keyscan, of known_hosts or of a .pub file; else what was given.

    Raises ValueError for what is certain to be something else, with the way out.
    """
    if not isinstance(text, str):
        return text
    lines = [line.split() for line in re.split(r"[\r\n]+", _INVISIBLE.sub("", text))]
    lines = [words for words in lines if words and not words[0].startswith("#")]
    if len(lines) > 1:
        raise ValueError("has several lines; give the one line that ssh-keyscan -t ed25519 HOST prints")
    words = lines[0] if lines else []
    if words and words[0].startswith("@"):
        raise ValueError(
            "is an authority's or a revoked key; give the machine's own, as ssh-keyscan prints it"
        )
    if any(re.match(r"(SHA256|MD5):", word) for word in words):
        raise ValueError(
            "is a key's fingerprint; give the key itself, as ssh-keyscan -t ed25519 HOST prints it"
        )
    found = next((number for number, word in enumerate(words[:2]) if _TYPE.fullmatch(word)), None)
    return text if found is None else " ".join(words[found : found + 2])


def fault(key: str) -> str | None:
    """What is wrong with `TYPE KEY`; None when ssh takes it."""
    kind, _, body = key.partition(" ")
    again = "take it anew: ssh-keyscan -t ed25519 HOST"
    try:
        raw = base64.b64decode(body, validate=True)
        (length,) = struct.unpack_from(">I", raw)
    except (ValueError, struct.error):
        return f"is no whole key; {again}"
    if raw[4 : 4 + length] != kind.encode():
        return f"has a key that is none of {kind}; {again}"
    if kind == "ssh-ed25519" and len(raw) != 4 + len(kind) + 4 + 32:
        return f"is no whole key; {again}"
    return None
