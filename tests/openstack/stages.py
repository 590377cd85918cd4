"""How far an `up` has come when, read from what `pulumi` prints."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MARKS: Final = (
    ("the project is asked", r"openstack:\S+ \S+ creating"),
    ("machine, volume and address are made", r"VolumeAttach \S+ created"),
    ("the machine answers SSH", r"machine [\d.]+: (?!does not answer)"),
    ("updates and packages are installed", r"machine [\d.]+: .*(the data disk|, Docker|limits, SSH)"),
    ("first boot is done and Docker answers", r"machine [\d.]+: ready"),
    ("images are there", r"docker:index:Container \S+ creating"),
    ("the login page answers", r"^Duration:"),
)
"""Stage, and the first line that says that it has ended. A stage that is over between two looks at the
machine takes no time."""


@dataclass(frozen=True)
class Stage:
    """What an `up` did, and for how long."""

    name: str
    seconds: float


class Stopwatch:
    """Hears each line when it is printed."""

    def __init__(self) -> None:
        """Start."""
        self._start = time.monotonic()
        self._ends: dict[str, float] = {}

    def hear(self, line: str) -> None:
        """Note which stages a line ends: its own, and those before it that nobody saw the end of."""
        for position, (_, pattern) in enumerate(MARKS):
            if re.search(pattern, line):
                for name, _ in MARKS[: position + 1]:
                    self._ends.setdefault(name, time.monotonic() - self._start)

    def stages(self) -> list[Stage]:
        """All stages that have ended, in order."""
        return list(self._stages())

    def _stages(self) -> Iterator[Stage]:
        before = 0.0
        for name, _ in MARKS:
            if name in self._ends:
                yield Stage(name, self._ends[name] - before)
                before = self._ends[name]
