"""Which servers compute: their processors' time is activity, also when nobody looks and nothing is printed.

JupyterHub counts what a browser asks and what a kernel says. A loop that is silent, or runs in a terminal
that nobody has open, is neither, and a night's work would be stopped as idle.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from docker.errors import APIError

BUSY_SHARE = 0.05
"""Of one processor, on average between two looks. A JupyterLab that nobody uses takes 0.001 (measured)."""

_AT_A_TIME = 8
"""Servers that Docker is asked about at once, as many as there are threads for it."""


@dataclass(frozen=True)
class _Look:
    """What one container had used when it was looked at."""

    at_s: float
    used_s: float


@dataclass
class Computing:
    """Compares what servers have used with what they had used at the look before."""

    now_s: Callable[[], float] = time.monotonic
    _before: dict[str, _Look] = field(default_factory=dict)

    async def note(self, users: Iterable[Any], db: Any) -> list[str]:
        """Note activity for every server that has computed since the last look; the names of their users.

        :param users: JupyterHub's own.
        :param db: its database's session.
        """
        spawners = list(_ready(users))
        used = dict(await _asked(spawners))
        busy = [spawner for spawner in spawners if self._computes(spawner.object_id, used)]
        for spawner in busy:
            spawner.orm_spawner.last_activity = datetime.now(UTC).replace(tzinfo=None)
        if busy:
            db.commit()
        at_s = self.now_s()
        self._before = {container: _Look(at_s, used_s) for container, used_s in used.items()}
        return [spawner.user.name for spawner in busy]

    def _computes(self, container: str, used: dict[str, float]) -> bool:
        before = self._before.get(container)
        if before is None or container not in used:
            return False  # its start is activity already
        return used[container] - before.used_s >= BUSY_SHARE * (self.now_s() - before.at_s) > 0


def _ready(users: Iterable[Any]) -> Iterator[Any]:
    for user in users:
        yield from (spawner for spawner in user.spawners.values() if spawner.ready and spawner.object_id)


async def _asked(spawners: Iterable[Any]) -> list[tuple[str, float]]:
    """Container to the seconds of a processor that it has used; those that have ended are left out."""
    busy = asyncio.Semaphore(_AT_A_TIME)

    async def ask(spawner: Any) -> tuple[str, float] | None:
        container = spawner.object_id
        try:
            async with busy:
                told = await spawner.docker("stats", container, stream=False, one_shot=True)
        except APIError:
            return None
        nanoseconds = told.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage")
        return None if nanoseconds is None else (container, nanoseconds / 1e9)

    return [found for found in await asyncio.gather(*map(ask, spawners)) if found]
