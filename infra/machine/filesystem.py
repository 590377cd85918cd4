"""What a folder is on: the kind of filesystem, where and how it is mounted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True)
class Filesystem:
    """As the kernel tells it."""

    kind: str
    options: frozenset[str]

    @property
    def limits_projects(self) -> bool:
        """Whether it keeps projects within quotas."""
        return self.kind == "ext4" and "prjquota" in self.options

    def __str__(self) -> str:
        """For a message: the kind, and what it lacks."""
        return self.kind if self.kind != "ext4" or self.limits_projects else "ext4 without prjquota"

    @classmethod
    def of_words(cls, words: str) -> Filesystem | None:
        """From what findmnt says of FSTYPE and OPTIONS; None when it said nothing."""
        kind, _, options = words.strip().partition(" ")
        return cls(kind, frozenset(options.strip().split(","))) if kind else None


@dataclass(frozen=True)
class Mount:
    """A filesystem where it is mounted."""

    place: Path
    shared: bool
    """Whether containers that were started before see what is mounted below it."""
    filesystem: Filesystem


def mount_of(folder: Path, mounts: Path = _MOUNTS) -> Mount | None:
    """Where a folder of this computer is, or will be made; None if the system keeps no list as Linux does."""
    if not mounts.exists():
        return None
    existing = next(path for path in (folder, *folder.parents) if path.exists()).resolve()
    # Of several mounts at one place the last one is seen.
    found = {}
    for line in mounts.read_text().splitlines():
        own, _, of_disk = line.partition(" - ")
        _, _, _, _, point, _, *more = own.split(" ")
        place = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point))
        kind, _, options = of_disk.split(" ", 2)
        shared = any(word.startswith("shared:") for word in more)
        found[place] = Mount(place, shared, Filesystem(kind, frozenset(options.split(","))))
    return next((found[path] for path in (existing, *existing.parents) if path in found), None)


def filesystem(folder: Path) -> Filesystem | None:
    """What a folder of this computer is on, as `mount_of` finds it."""
    mount = mount_of(folder)
    return mount.filesystem if mount else None
