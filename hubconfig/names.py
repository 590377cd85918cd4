"""The names that the proxy, the hubs and Docker must agree on; different things never share one.

The proxy keeps no table: it turns `/user/NAME/`, or the host NAME.DOMAIN where users have hosts of their own,
into the container PREFIX-user-NAME by Docker's DNS.
So a user's name must be one that is the same as URL path, container name, DNS label and folder.

A container is called by a prefix, a word of ours and, for most, a further name: `local-proxy`,
`local-user-ada`. No prefix holds one of our words, so the first one in a name ends the prefix, and from
name to thing there is one way only.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

USER_MAX: Final = 39
"""GitHub's longest login; longer names of other providers are shortened to it."""

PREFIX_MAX: Final = 18
"""63 characters of a DNS label, less `-user-` and the longest user name."""

SAFE_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""Lower case letters and digits, single inner hyphens: every GitHub login made since 2014.
(Resolvers refuse a label that ends in a hyphen, as some older logins do.)"""

TAGGED_NAME: Final = re.compile(r"(?=.{1,39}$)[a-z0-9]+(?:-[a-z0-9]+)*--[0-9a-f]{16}")
"""What `safe_name` makes of a name that is not safe."""

USER_NAME: Final = re.compile(r"[a-z0-9]+(?:--?[a-z0-9]+)*")
"""What a user may be called in paths and containers: a safe name, or one with a tag."""

FIRST_HUB: Final = "hub"
"""What the hub at the root of a site is called."""

PATHS_OF_FIRST_HUB: Final = frozenset({"api", "hub", "metrics", "services", "user"})
"""Paths below the first hub's, so no further hub may be called so."""

_USER, _SPACE = "user", "space"
_PROXY, _FENCE, _BACKUP, _HOME_LIMITS, _HUB = "proxy", "fence", "backup", "home-limits", "hub"

_OUR_WORDS: Final = frozenset({_USER, _SPACE, _PROXY, _FENCE, _BACKUP, _HUB, *_HOME_LIMITS.split("-")})
"""No part of a prefix may be one of them."""

HOST_LABEL_MAX: Final = 63
"""Characters of a DNS label."""

_NEXT: Final = "---"
"""Parts a user's name from a further hub's in a host's label; no user's name holds it."""

_SPACER: Final = "user----"
"""Begins a label that would else have hyphens for its third and fourth character, which authorities do not
sign: those places mark names in other scripts (RFC 5891)."""

_HUB_LABEL_MAX: Final = HOST_LABEL_MAX - USER_MAX - len(_NEXT)

_TAG_LENGTH: Final = 16  # 64 bits: nobody can search for a name that falls on another's tag

_PREFIX_TAG: Final = re.compile(r"[0-9a-f]{6}")
"""Ends a prefix that is not the stack's name itself; 24 bits, besides the letters before it."""


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
        raise ValueError("a user's name may not be empty")
    if given.isascii() and len(folded) <= USER_MAX and SAFE_NAME.fullmatch(folded):
        return folded
    stem = re.sub(r"[^a-z0-9]+", "-", folded)[: USER_MAX - _TAG_LENGTH - 2].strip("-") or "user"
    tag = hashlib.sha256(folded.encode(errors="surrogatepass")).hexdigest()[:_TAG_LENGTH]
    return f"{stem}--{tag}"


def host_label(hub: str, user: str) -> str:
    """What stands before the users' domain in the name of the host that is this user's alone.

    The user's name; at a further hub also the hub's, as its people may be others. Two users of a site never
    share one.

    :param user: a name that is safe.
    """
    label = user if hub == FIRST_HUB else f"{user}{_NEXT}{_hub_label(hub)}"
    return f"{_SPACER}{label}" if label[2:4] == "--" else label


def host_pattern(hub: str, domain: str) -> str:
    """Matches the hosts of a hub's users and no other hub's; its group is the user's name.

    For Go and Python alike.
    """
    end = "" if hub == FIRST_HUB else _NEXT + _hub_label(hub)
    return rf"^(?:{_SPACER})?({USER_NAME.pattern}){end}\.{re.escape(domain)}$"


def user_of_host(hub: str, domain: str, host: str) -> str | None:
    """The user of this hub whose host it is; None where it is nobody's."""
    found = re.fullmatch(host_pattern(hub, domain), host)
    return found[1] if found and f"{host_label(hub, found[1])}.{domain}" == host else None


@dataclass(frozen=True)
class Names:
    """What everything of one stack is called on its engine."""

    stack: str

    @property
    def network(self) -> str:
        """The network of proxy, hubs and users' servers."""
        return f"cyberhub-{self.stack}"

    @property
    def bridge(self) -> str:
        """That network's bridge, as Linux calls it; those names have at most 15 characters."""
        return f"ch-{_digest(self.stack)[:8]}"

    @property
    def proxy(self) -> str:
        """The proxy's container."""
        return f"{self._prefix()}-{_PROXY}"

    @property
    def fence(self) -> str:
        """The firewall's container."""
        return f"{self._prefix()}-{_FENCE}"

    @property
    def backup(self) -> str:
        """The backup's container."""
        return f"{self._prefix()}-{_BACKUP}"

    @property
    def home_limits(self) -> str:
        """The container that keeps homes within their limits."""
        return f"{self._prefix()}-{_HOME_LIMITS}"

    def space(self, name: str) -> str:
        """The container that mounts a folder of another machine."""
        return f"{self._prefix()}-{_SPACE}-{name}"

    def hub(self, name: str) -> str:
        """A hub's container, by which proxy and servers find it."""
        return f"{self._prefix(name)}-{_HUB}"

    def user_prefix(self, hub: str) -> str:
        """What users' containers are called before the user's name."""
        return f"{self._prefix(hub)}-{_USER}-"

    def server(self, hub: str, user: str) -> str:
        """The container of a user's server.

        :param user: a name that is safe.
        """
        return self.user_prefix(hub) + user

    def _prefix(self, hub: str = FIRST_HUB) -> str:
        """The stack's own name where that can be; else what can stay of it and the hub's, and a tag."""
        if hub == FIRST_HUB and _is_plain(self.stack):
            return self.stack
        words = self.stack if hub == FIRST_HUB else f"{self.stack}-{hub}"
        parts = [part for part in re.split(r"[^a-z0-9]+", words.lower()) if part and part not in _OUR_WORDS]
        stem = "-".join(parts)[: PREFIX_MAX - 7].strip("-")
        # What is cut may leave one of our words behind.
        stem = "-".join(part for part in stem.split("-") if part not in _OUR_WORDS) or "x"
        return f"{stem}-{_digest(f'{self.stack}/{hub}')[:6]}"


def former_hub(stack: str, hub: str) -> str:
    """What a hub's container was called before version 0.2; servers of that time ask for it by this name."""
    words = re.sub(r"[^a-z0-9]+", "-", (stack if hub == FIRST_HUB else f"{stack}-{hub}").lower()).strip("-")
    if len(words) > PREFIX_MAX:
        tag = hashlib.sha256(f"{stack}/{hub}".encode()).hexdigest()[:4]
        words = f"{words[: PREFIX_MAX - 5].rstrip('-')}-{tag}"
    return f"{words or 'hub'}-{_HUB}"


def _hub_label(hub: str) -> str:
    """A further hub's part of its users' hosts' labels."""
    if len(hub) <= _HUB_LABEL_MAX:
        return hub
    return f"{hub[: _HUB_LABEL_MAX - 10].rstrip('-')}--{_digest(hub)[:8]}"


def _is_plain(stack: str) -> bool:
    parts = stack.split("-")
    return (
        len(stack) <= PREFIX_MAX
        and SAFE_NAME.fullmatch(stack) is not None
        and not _OUR_WORDS.intersection(parts)
        and not (len(parts) > 1 and _PREFIX_TAG.fullmatch(parts[-1]))
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
