"""What the hub does beside answering: jobs in its own event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """Something that is done again and again."""

    name: str
    every_seconds: float
    once: Callable[[], Awaitable[None]]
    at_start: bool = False
    """Whether it is done as soon as it begins; else after the first wait."""


_running: set[asyncio.Task[None]] = set()
"""The event loop itself keeps no task from being collected."""


def begin(jobs: Iterable[Job], log: logging.Logger) -> None:
    """Have jobs done in the event loop that runs, until the hub ends."""
    _running.update(asyncio.ensure_future(forever(job, log)) for job in jobs)


async def forever(job: Job, log: logging.Logger) -> None:
    """Do a job until the hub ends; a failure is logged, and the next turn comes all the same."""
    if not job.at_start:
        await asyncio.sleep(job.every_seconds)
    while True:
        try:
            await job.once()
        except Exception:
            log.exception("%s failed and is tried again in %g s", job.name, job.every_seconds)
        await asyncio.sleep(job.every_seconds)
