"""Guesses of a password: each address has some, then one now and then; nobody else waits for it.

What is counted are wrong passwords, for a name from an address and for all names from it. While there is no
guess left, no password is looked at, so the right one works there a little later, and from elsewhere at once.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Allowance:
    """How many guesses there are."""

    at_once: int
    every_s: float
    """Seconds until there is another one."""


FOR_NAME: Final = Allowance(5, 20)
"""Of one name from one address."""

FOR_ADDRESS: Final = Allowance(60, 2)
"""Of whatever names from one address; a class behind one address mistypes more than a person."""

_REMEMBERED = 50_000
"""Names and addresses; those that guessed longest ago are forgotten first."""


class Guesses:
    """What has been guessed lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing yet."""
        self._clock = clock
        self._spent: OrderedDict[Hashable, float] = OrderedDict()
        """To the time at which all guesses are there again."""

    def wait_s(self, name: str, address: str) -> float:
        """Seconds until this address may guess this name's password; 0: now."""
        return max(self._wait_s(key, allowance) for key, allowance in _keys(name, address))

    def wrong(self, name: str, address: str) -> None:
        """Count a wrong one."""
        now = self._clock()
        for key, allowance in _keys(name, address):
            self._spent[key] = max(self._spent.get(key, now), now) + allowance.every_s
            self._spent.move_to_end(key)
        while len(self._spent) > _REMEMBERED:
            self._spent.popitem(last=False)

    def _wait_s(self, key: Hashable, allowance: Allowance) -> float:
        spent_s = self._spent.get(key, 0.0) - self._clock()
        return max(0.0, spent_s - (allowance.at_once - 1) * allowance.every_s)


def _keys(name: str, address: str) -> tuple[tuple[Hashable, Allowance], ...]:
    return ((name.casefold(), address), FOR_NAME), (address, FOR_ADDRESS)
