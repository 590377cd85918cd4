"""Keeps homes within their limit, in a container of its own: `python3 -m hubconfig.homes.limits FOLDER=GB...`

The hub has no right to limit anybody's space. This program has, and nothing else: no network, no secret,
no Docker. Each home is one project of the filesystem: its folder's own mark is the only record of which,
so that it outlives machines and needs no table. Ends with 1, saying why, where the filesystem has no
project quotas. When it is told to stop, it lifts the limits, so that a hub without them has none.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from hubconfig.homes import projects
from hubconfig.homes.tree import FOLDER, everything

FIRST_PROJECT = 1 << 20
"""Projects below are left to others: people number theirs from 1."""

LOOK_S = 0.5
"""How often to look whether there is a new home: its owner waits for the limit."""

LOOK_AT_ALL_S = 30
"""How often to look at all homes."""

WALK_EVERY_S = 24 * 3600
"""How often to look whether all that is in a home is of its project."""

READY = Path("/run/home-limits/ready")
"""Is there as soon as all homes have their limit."""


class _Stopped(BaseException):
    """Somebody stops the container."""


class HomeLimits:
    """Gives homes their limits."""

    def __init__(self, limits: Mapping[Path, int]) -> None:
        """Keep the homes in some folders within so many bytes each."""
        self._limits = limits
        self._set: dict[int, int] = {}
        """Project to its limit in bytes, as the kernel was told."""
        self._walked: dict[Path, float] = {}
        """Home to when it was last walked through."""
        self._seen: dict[Path, int] = {}
        self._looked = float("-inf")

    def check(self) -> None:
        """Raise NoQuotasError where a folder's filesystem cannot keep anybody within a limit."""
        for folder in self._limits:
            with _opened(folder) as fd:
                projects.check(fd)

    def look(self) -> None:
        """Give every home that has none its limit, and change those that are another now."""
        changed = {folder: folder.stat().st_mtime_ns for folder in self._limits}
        if changed == self._seen and time.monotonic() - self._looked < LOOK_AT_ALL_S:
            return
        taken: set[int] = set()
        new: list[tuple[Path, int]] = []
        for home, most_bytes in self._homes():
            with _told(home), _opened(home) as fd:
                found = projects.attributes(fd)
                if found.inherits and found.project >= FIRST_PROJECT and found.project not in taken:
                    self._limit(fd, found.project, most_bytes)
                    taken.add(found.project)
                else:
                    new.append((home, most_bytes))
        for home, most_bytes in new:
            with _told(home), _opened(home) as fd:
                project = max(taken, default=FIRST_PROJECT - 1) + 1
                while not projects.is_free(fd, project):
                    project += 1
                self._limit(fd, project, most_bytes)
                projects.put(fd, project, inherit=True)
                taken.add(project)
                self._walked.pop(home, None)
                _say(f"{home} is project {project}, {most_bytes // 10**6:,} MB at the most")
        self._seen, self._looked = changed, time.monotonic()

    def walk(self) -> Iterator[bool]:
        """Go through all homes for files that are not of their home's project, and take them in.

        That is what was there before the home had a limit, and what came by some other way since. Yields
        now and then, so that new homes do not wait: whether there is more to do.
        """
        while True:
            for home, _ in self._homes():
                if time.monotonic() - self._walked.get(home, float("-inf")) > WALK_EVERY_S:
                    with _told(home):
                        yield from self._walk_home(home)
                    self._walked[home] = time.monotonic()
            yield False

    def lift(self) -> None:
        """Take the limits away; homes keep their projects."""
        for folder in self._limits:
            with _opened(folder) as fd:
                for project in self._set:
                    projects.limit(fd, project, 0)

    def _homes(self) -> Iterator[tuple[Path, int]]:
        for folder, most_bytes in self._limits.items():
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
            yield from ((folder / name, most_bytes) for name in names)

    def _limit(self, fd: int, project: int, most_bytes: int) -> None:
        if self._set.get(project) != most_bytes:
            projects.limit(fd, project, most_bytes)
            self._set[project] = most_bytes

    def _walk_home(self, home: Path) -> Iterator[bool]:
        taken_in = 0
        with _opened(home) as top:
            project = projects.attributes(top).project
            for name, folder in everything(top, _tell):
                if name is None:
                    yield True
                else:
                    taken_in += _take_in(name, folder, project)
        if taken_in:
            _say(f"{taken_in} files and folders of {home} were not of its project {project}, and are now")


def _take_in(name: str, folder: int, project: int) -> bool:
    """Make one file or folder one of a project; whether it was not. Links and pipes cannot be marked."""
    try:
        kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            return False
        # Its owner may put something else there at any moment.
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY, dir_fd=folder)
    except FileNotFoundError:
        return False
    except OSError as error:
        _tell(error)
        return False
    try:
        wanted = projects.Attributes(project, inherits=stat.S_ISDIR(kind))
        if projects.attributes(fd) == wanted:
            return False
        projects.put(fd, project, inherit=wanted.inherits)
    except OSError as error:
        _tell(error)
        return False
    else:
        return True
    finally:
        os.close(fd)


@contextmanager
def _told(home: Path) -> Iterator[None]:
    """Say what is wrong with one home, and go on with the next. One that has gone is nothing wrong."""
    try:
        yield
    except FileNotFoundError:
        pass
    except OSError as error:
        _say(f"{home} is left as it is: {error}")


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    fd = os.open(folder, FOLDER)
    try:
        yield fd
    finally:
        os.close(fd)


def _tell(error: OSError) -> None:
    _say(f"left as it is: {error}")


def _say(what: str) -> None:
    print(f"home limits: {what}", flush=True)


def _stop(_: int, __: FrameType | None) -> None:
    raise _Stopped


def main(words: Sequence[str]) -> int:
    """Keep the limits of FOLDER=GB... until told to stop."""
    limits = {}
    for word in words:
        folder, _, gb = word.rpartition("=")
        limits[Path(folder)] = limit_bytes(float(gb))
    kept = HomeLimits(limits)
    try:
        kept.check()
    except projects.NoQuotasError as error:
        print(
            f"home limits: hub.limits.homeGb cannot be kept on the filesystem of the data folder: {error}. "
            "Use ext4 with project quotas, or remove homeGb; see docs/data.md",
            file=sys.stderr,
        )
        return 1
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    os.nice(10)  # the walks; people's servers come first
    try:
        kept.look()
        READY.parent.mkdir(exist_ok=True)
        READY.touch()
        _say("every home has its limit")
        walk = kept.walk()
        while True:
            kept.look()
            until = time.monotonic() + LOOK_S
            while next(walk) and time.monotonic() < until:
                pass
            time.sleep(max(0.0, until - time.monotonic()))
    except _Stopped:
        kept.lift()
        _say("stopped; the limits are lifted")
        return 0


def limit_bytes(gb: float) -> int:
    """A limit in bytes; GB as clouds count them."""
    return round(gb * 10**9)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
