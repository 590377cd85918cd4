"""What a machine holds, as far as that is known before anything is made."""

from __future__ import annotations

from dataclasses import dataclass

from infra.machine.filesystem import Filesystem


@dataclass(frozen=True)
class Capacity:
    """What settings can be held against."""

    memory_mb: int
    cpus: int
    filesystem: Filesystem | None = None
    """What the data folder is on; None where that is not known, or still to be made."""
