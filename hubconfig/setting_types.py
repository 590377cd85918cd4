"""Types that the parts of a hub's settings share, and what changing one later does to a running hub."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from hubconfig.section import Changing

HUB_RESTART = Changing("The hub restarts (about 2 s, requests wait); running servers go on.")
NEW_SERVERS = Changing("The hub restarts; servers started from then on have it, running ones keep theirs.")
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


Entry = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        pattern=r"^(org:[A-Za-z0-9-]+|team:[A-Za-z0-9-]+/[A-Za-z0-9_.-]+|[^\s:#]+(:[0-9]+)?)$",
    ),
]
"""One line of an access list: `name`, `name:id`, `org:NAME` or `team:ORG/TEAM`."""
