"""The snapshots of a repository, and which of them is meant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hubconfig.backup.options import Refused

REPLACED = "replaced:"
"""Begins the tag of the copies that a restore makes of what it replaces."""


@dataclass(frozen=True)
class Snapshot:
    """One of them."""

    id: str
    short: str
    time: str
    tags: tuple[str, ...]
    files: int | None = None
    bytes: int | None = None

    @property
    def is_a_stacks(self) -> bool:
        """Whether it is a backup, and no copy of what a restore replaced."""
        return len(self.tags) == 1 and not self.tags[0].startswith(REPLACED)

    def told(self) -> str:
        """As JSON, for `make restore`."""
        known = {"id": self.short, "time": self.time, "stack": self.tags[0] if self.tags else ""}
        return json.dumps(known | {"files": self.files, "bytes": self.bytes})


def read(text: str) -> list[Snapshot]:
    """What `restic snapshots --json` prints, oldest first."""
    return sorted((_snapshot(each) for each in json.loads(text) or []), key=lambda each: each.time)


def _snapshot(known: Mapping[str, Any]) -> Snapshot:
    summary = known.get("summary") or {}
    return Snapshot(
        known["id"],
        known["short_id"],
        known["time"],
        tuple(known.get("tags") or ()),
        summary.get("total_files_processed"),
        summary.get("total_bytes_processed"),
    )


def of(stack: str, every: Sequence[Snapshot]) -> list[Snapshot]:
    """A stack's own backups."""
    return [each for each in every if each.tags == (stack,)]


def stacks(every: Sequence[Snapshot]) -> list[str]:
    """Whose backups there are."""
    return sorted({each.tags[0] for each in every if each.is_a_stacks})


def choose(every: Sequence[Snapshot], stack: str, begins: str, repository: str) -> Snapshot:
    """The snapshot to restore. Raises Refused.

    :param begins: how its id begins; empty: the stack's latest, or if it has none, the latest of the only
        other stack there is.
    """
    if begins:
        found = [each for each in every if each.id.startswith(begins)]
        if not found:
            raise Refused(f"there is no snapshot {begins}")
        if len(found) > 1:
            raise Refused(f"there are several snapshots whose ids begin with {begins}; give more of it")
        return found[0]
    if own := of(stack, every):
        return own[-1]
    others = stacks(every)
    if not others:
        raise Refused(f"there is no backup in {repository}")
    if len(others) > 1:
        raise Refused(
            f"there is no backup of {stack}, but of {', '.join(others)}; name one of their snapshots"
        )
    return of(others[0], every)[-1]
