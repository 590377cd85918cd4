"""One way to wait for a service that is still starting, and one list of what passes by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from keystoneauth1.exceptions import ClientException
from openstack.exceptions import SDKException

PASSING: Final = (SDKException, ClientException, OSError)
"""What is said by services that do not listen yet, or whose own services do not: openstacksdk's errors,
keystoneauth's (which are no kind of the former), and the network's."""


class NotReadyError(RuntimeError):
    """Something was not there in time."""


def until(
    missing: Callable[[], str],
    seconds: float,
    *,
    tell: Callable[[str], None] = lambda _: None,
    pause: float = 1,
) -> None:
    """Return when nothing is missing any more.

    :param missing: what is missing; empty: nothing. An error of PASSING is something missing.
    :param seconds: how long to wait.
    :param tell: hears what is waited for whenever that changes.
    :param pause: seconds between two looks.
    Raises NotReadyError with what was missing last.
    """
    end = time.monotonic() + seconds
    before = ""
    while what := _asked(missing):
        if time.monotonic() >= end:
            raise NotReadyError(f"not up within {seconds:g} s: {what}")
        name = what.partition(":")[0]
        if name != before:
            tell(f"waiting for {name}")
            before = name
        time.sleep(pause)


def _asked(missing: Callable[[], str]) -> str:
    try:
        return missing()
    except PASSING as error:
        return f"an answer: {error or type(error).__name__}"
