"""The folder of the lists on a real disk, and a hub's view of it."""

from __future__ import annotations

import logging
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from hubconfig.access.lists import AccessLists
from hubconfig.access.rules import Person, Rules, decide

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ADA = Person("ada", "12")
BOB = Person("bob", "13")


class ListFolder:
    """A data volume's folders, and the hub's view of them."""

    def __init__(self, folder: Path, log: logging.Logger) -> None:
        self.access = folder / "access"
        self.keep = folder / "state" / "access"
        self.access.mkdir()
        self._log = log
        self.wlist = self.access / "wlist"
        self.blist = self.access / "blist"
        self.lists = self.restarted()

    def restarted(self) -> AccessLists:
        """What a hub that starts now knows."""
        self.lists = AccessLists(self.access, self.keep, self._log)
        return self.lists

    def write(self, path: Path, data: str | bytes, age_s: float = 60) -> None:
        """Write a file and let it be this old."""
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        then = time.time() - age_s
        os.utime(path, (then, then))

    def lets_in(self, person: Person) -> bool:
        """Whether the lists, looked at now, let somebody in."""
        self.lists.look()
        return decide(person, Rules(wlist=self.lists.wlist, blist=self.lists.blist), NOW).allowed
