"""Whether a new snapshot holds what it should."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

_NAMED = 5
"""So many are named; the rest are counted."""


@dataclass(frozen=True)
class Findings:
    """What is not as it should be: nothing where both are empty."""

    error: str = ""
    warning: str = ""


def compare(
    hubs: Mapping[str, tuple[str, ...]],
    on_volume: frozenset[str],
    before: frozenset[str],
    now: frozenset[str],
) -> Findings:
    """Compare a snapshot with the volume, and with the snapshot before it.

    :param hubs: each hub's folders: its homes, its lists, its state.
    :param on_volume: those of the folders, and of the homes in them, that the volume has.
    :param before: what the snapshot before had of them.
    :param now: what the new one has.
    """
    folders = {path for each in hubs.values() for path in each}
    lacking = (on_volume & folders) - now
    lost = (before & folders) - on_volume
    said = [
        f"the snapshot lacks {_names(lacking)}" if lacking else "",
        f"the data volume has no longer {_names(lost)}" if lost else "",
    ]
    gone = {
        path for path in before - on_volume - folders if str(PurePosixPath(path).parent) in folders - lost
    }
    warning = f"gone since the last backup: {_names(gone)}" if gone else ""
    return Findings("; ".join(each for each in said if each), warning)


def _names(paths: Iterable[str]) -> str:
    every = sorted(paths)
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more
