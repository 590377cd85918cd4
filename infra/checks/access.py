"""Checks access entries against the sign-in that must be able to tell what they ask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hubconfig.options import HubOptions
from infra.stack.faults import Fault
from infra.stack.sections import Sections


def faults(sections: Sections) -> Sequence[Fault]:
    """Entries that this sign-in can never match, which would quietly let nobody in or ban nobody."""
    return [
        Fault(key, f"{entry}: {rule}")
        for where, options in sections.every_hub().items()
        for key, entry in _entries(where, options)
        if (rule := _rule(entry, options.auth.kind))
    ]


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
