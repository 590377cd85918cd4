"""Types that the parts of a hub's settings share, and what changing one later does to a running hub."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from hubconfig.access.entries import understood, visible
from hubconfig.section import Changing

HUB_RESTART = Changing("The hub restarts (about 2 s, requests wait); running servers go on.")
NEW_SERVERS = Changing("The hub restarts; servers started from then on have it, running ones keep theirs.")


AT_ONCE = Changing(
    "In force at once, also for homes that are there and servers that run. The hub restarts (about 2 s)."
)


OTHER_IDS = Changing("Everybody is refused as another owner of the name; delete state/people.jsonl first.")

OTHER_PEOPLE = Changing("People get other names, so they find empty homes: move those first.")


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$")]
"""A name that is safe as a path, a container's name and a DNS label."""


ContainerPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._/-]*[A-Za-z0-9._-]$")]


ImageName = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?/)?"
        r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
        r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$"
    ),
]
"""A Docker image name, with or without tag and digest."""


def _entry(text: str) -> str:
    """An item of an access list, as people paste it too. Raises ValueError for what is not certain."""
    found = understood(_written(text))
    if not found.entries:
        raise ValueError(_why_not(text))
    return text


def _written(text: str) -> str:
    return visible(text.partition("#")[0])


def _why_not(text: str) -> str:
    if "*" in text:
        return "has a *, which means nobody here; to let in everybody, set access.mode: open"
    return (
        "is not understood, so it would count for nobody; write one on each line of the list: NAME, NAME:ID, "
        "org:NAME or team:ORG/TEAM"
    )


def _parted(items: tuple[str, ...]) -> tuple[str, ...]:
    """Each entry by itself."""
    return tuple(entry for item in items for entry in understood(_written(item)).entries)


Entry = Annotated[str, AfterValidator(_entry)]
"""One item of an access list: `name`, `name:id`, `org:NAME` or `team:ORG/TEAM`, or several in one text."""

Entries = Annotated[tuple[Entry, ...], AfterValidator(_parted)]
"""An access list in a stack file, read as the files wlist and blist are."""
