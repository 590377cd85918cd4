"""What the site's own containers may take of the machine: what makes one of them grow hurts it alone.

Their memory also says how many connections hub and proxy take: their entrypoints reckon that from the limit
that they find, so a change of it replaces no container. Where the machine itself is short of memory, users'
servers go first (`oom_score_adj` in hubconfig/servers/spawner.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_docker as docker

from infra.dock import Dock
from infra.engine import Engine

PROCESSES: Final = 512
"""Processes and threads of each; a hub has some 30, a proxy some more than the machine has processors."""

_STEP_MB = 64
"""Machines of the same kind differ by a few MB, which is no reason to change anything."""


@dataclass(frozen=True)
class Bound:
    """How much memory one of them may have."""

    least_mb: int
    """What it is given on the smallest machine."""
    share: float
    """Of a larger machine's memory."""

    def memory_mb(self, machine_mb: int) -> int:
        """Its limit on a machine with so much memory."""
        return max(self.least_mb, round(machine_mb * self.share / _STEP_MB) * _STEP_MB)

    def with_swap_mb(self, machine_mb: int) -> int:
        """The same with swap: Docker's own choice, said because it would else refuse to raise the other."""
        return 2 * self.memory_mb(machine_mb)


HUB: Final = Bound(512, 1 / 4)
"""With 1,000 people known to it a hub takes some 200 MB."""

PROXY: Final = Bound(384, 1 / 4)
"""A request that is only half sent costs it 100 kB."""

BACKUP: Final = Bound(512, 1 / 2)
"""restic keeps an index of all that is in the repository."""

FENCE: Final = Bound(64, 0)


def limited_processes(dock: Dock, containers: Sequence[docker.Container]) -> pulumi.Output[str]:
    """Limit the processes of containers, which Docker's provider cannot; known once that is done."""

    def limit(engine: Engine, names: str) -> str:
        engine.run("update", "--pids-limit", f"{PROCESSES}", *names.split())
        return names

    # By id: known only once they are there.
    ids = pulumi.Output.all(*(each.id for each in containers)).apply(lambda known: " ".join(map(str, known)))
    return dock.once(ids, limit, lambda _: "the number of processes is not limited")
