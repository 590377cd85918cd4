"""Checks access entries against the sign-in that must be able to tell what they ask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hubconfig.auth_options import GitHubAuth, GitLabAuth
from hubconfig.options import HubOptions
from infra.stack.clouds import LocalCloud
from infra.stack.faults import Fault
from infra.stack.sections import Sections


def faults(sections: Sections) -> Sequence[Fault]:
    """Entries that this sign-in can never match, which would quietly let nobody in or ban nobody.

    And, as a warning, a hub on a public address that is for the whole world without anybody having said so.
    """
    every = sections.every_hub()
    unmatched = [
        Fault(key, f"{entry}: {rule}")
        for where, options in every.items()
        for key, entry in _entries(where, options)
        if (rule := _rule(entry, options.auth.kind))
    ]
    if isinstance(sections.cloud, LocalCloud):
        return unmatched
    open_hubs = (where for where, options in every.items() if _is_open(options))
    return unmatched + [Fault(f"{where}.access", _OPEN, stops=False) for where in open_hubs]


_OPEN = (
    "everybody with an account at the sign-in's provider gets in while the hub's file wlist is empty. "
    "Name people or org:NAME in access.allow or wlist and set access.mode to listed; "
    "or set it to open if that is meant"
)


def _is_open(options: HubOptions) -> bool:
    """Whether nothing in the settings keeps a stranger with an account out."""
    match options.auth:
        case GitHubAuth():
            anybody = True
        case GitLabAuth(url=url):
            anybody = url.host == "gitlab.com"
        case _:
            anybody = False
    return anybody and options.access.mode == "auto" and not options.access.allow


def _entries(where: str, options: HubOptions) -> Iterator[tuple[str, str]]:
    lists = {"admins": options.admins, "access.allow": options.access.allow}
    lists |= {f"menu[{number}].who": entry.who for number, entry in enumerate(options.menu)}
    for name, entries in lists.items():
        for entry in entries:
            yield f"{where}.{name}", entry


def _rule(entry: str, kind: str) -> str | None:
    if re.match(r"(org|team):", entry) and kind != "github":
        return f"organisations and teams are GitHub's; name people, or sign in with github instead of {kind}"
    if re.fullmatch(r"[^:]+:\d+", entry) and kind == "sharedPassword":
        return "a shared password tells no ids; give the name alone"
    return None
