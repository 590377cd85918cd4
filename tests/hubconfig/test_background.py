"""The hub's jobs: each in its own time, and no failure is the last turn."""

from __future__ import annotations

import asyncio
import logging

import pytest

from hubconfig.background import Job, forever


def turns(job_s: float, *, at_start: bool, for_s: float, fails: bool = False) -> int:
    """How often a job is done in a while."""
    done = 0

    async def once() -> None:
        nonlocal done
        done += 1
        if fails:
            raise OSError("no")

    async def run() -> None:
        job = Job("counting", job_s, once, at_start=at_start)
        task = asyncio.ensure_future(forever(job, logging.getLogger("hub")))
        await asyncio.sleep(for_s)
        task.cancel()

    asyncio.run(run())
    return done


def test_a_job_waits_first_unless_it_is_wanted_at_the_start() -> None:
    assert turns(60, at_start=False, for_s=0.02) == 0
    assert turns(60, at_start=True, for_s=0.02) == 1


def test_a_job_that_fails_has_its_next_turn_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    assert turns(0.01, at_start=True, for_s=0.2, fails=True) > 1
    assert "counting failed and is tried again in 0.01 s" in caplog.text
