"""What all unit tests need of the interpreter."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def thread_with_an_event_loop() -> Iterator[None]:
    """Pulumi's SDK takes the thread's event loop, which asyncio.run in an earlier test has taken away."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
