"""The names that the proxy, the hub and Docker must agree on.

The proxy keeps no table: it turns `/user/NAME/` into the container PREFIX-NAME by Docker's DNS.
So a user's name must be one that is the same as URL path, container name, DNS label and folder.
"""

from __future__ import annotations

import hashlib
import re

USER_MAX = 39
"""GitHub's longest login; longer names of other providers are shortened to it."""

PREFIX_MAX = 24
"""63 characters of a DNS label, less the longest user name."""

SAFE_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""Lower case letters and digits, single inner hyphens: every GitHub login made since 2014.
(Resolvers refuse a label that ends in a hyphen, as some older logins do.)"""

TAGGED_NAME = re.compile(r"(?=.{1,39}$)[a-z0-9]+(?:-[a-z0-9]+)*--[0-9a-f]{16}")
"""What `safe_name` makes of a name that is not safe."""

USER_NAME = re.compile(r"[a-z0-9]+(?:--?[a-z0-9]+)*")
"""What a user may be called in paths and containers: a safe name, or one with a tag."""

_TAG_LENGTH = 16  # 64 bits: nobody can search for a name that falls on another's tag


def safe_name(name: str) -> str:
    """The one form of a user's name that works everywhere; different people never share one.

    A name that is safe already stays as it is. Any other becomes its safe letters, `--` and a tag
    of the whole name; a safe name never holds `--`, so the two kinds cannot meet. Only ASCII may
    stay: in Unicode the Kelvin sign's lower case is `k`, and a long s folds to `s`.
    Raises ValueError for an empty name.
    """
    given = name.strip()
    folded = given.lower()
    if not folded:
        msg = "a user's name may not be empty"
        raise ValueError(msg)
    if given.isascii() and len(folded) <= USER_MAX and SAFE_NAME.fullmatch(folded):
        return folded
    stem = re.sub(r"[^a-z0-9]+", "-", folded)[: USER_MAX - _TAG_LENGTH - 2].strip("-") or "user"
    tag = hashlib.sha256(folded.encode(errors="surrogatepass")).hexdigest()[:_TAG_LENGTH]
    return f"{stem}--{tag}"


def prefix(stack: str, hub: str = "hub") -> str:
    """What the containers of a hub are called before their own part, at most 18 characters."""
    words = stack if hub == "hub" else f"{stack}-{hub}"
    words = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "hub"
    longest = PREFIX_MAX - len("-user-")
    if len(words) <= longest:
        return words
    tag = hashlib.sha256(f"{stack}/{hub}".encode()).hexdigest()[:4]
    return f"{words[: longest - 5].rstrip('-')}-{tag}"


def user_prefix(stack: str, hub: str = "hub") -> str:
    """What users' containers are called before the user's name."""
    return f"{prefix(stack, hub)}-user-"
