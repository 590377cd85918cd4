"""Users' home folders: made with the right owner and mode from the first moment."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from hubconfig import container
from hubconfig.homes.limits import limit_bytes
from hubconfig.names import USER_NAME
from hubconfig.servers.not_started import NotStartedError

HOMES = Path(container.HOMES)
"""The folder of homes, as the hub sees it."""

HOME_MODE = 0o700

FREE_MIN_BYTES = 200 * 1024**2
FREE_MIN_SHARE = 0.01
"""Below either, no server is started: JupyterLab itself writes some MB, and a full disk stops everybody."""

LIMIT_S = 15
"""Seconds that a home's limit may take: it comes within half a second, or somebody must look why not."""

NEARLY_FULL = 0.9
"""The part of a home from which on its owner is warned."""

ROOM_MIN_BYTES = 10 * 10**6
ROOM_MIN_FILES = 100
"""A home with less counts as full: a notebook with its pictures would no longer be saved."""

_MB = 1024**2


@dataclass(frozen=True)
class HomeUsage:
    """What a home holds, and what it may."""

    used_bytes: int
    most_bytes: int
    used_files: int
    most_files: int

    @property
    def share(self) -> float:
        """The part that is taken: of the space or of the number of files, whichever is more."""
        return max(self.used_bytes / self.most_bytes, self.used_files / self.most_files)

    @property
    def full(self) -> bool:
        """Whether next to nothing can be written."""
        return (
            self.most_bytes - self.used_bytes < ROOM_MIN_BYTES
            or self.most_files - self.used_files < ROOM_MIN_FILES
        )

    def __str__(self) -> str:
        """The numbers, in MB as disks are sold, or of files where those come to an end first."""
        if self.share >= NEARLY_FULL and self.share > self.used_bytes / self.most_bytes:
            return f"{self.used_files:,} of {self.most_files:,} files"
        return f"{round(self.used_bytes / 10**6):,} of {round(self.most_bytes / 10**6):,} MB"


@dataclass(frozen=True)
class Homes:
    """The folder of homes, as the hub sees it and as the machine does."""

    here: Path
    on_machine: str
    limit_gb: float | None = None

    def prepare(self, name: str) -> str:
        """Make a user's home if there is none; its path on the machine.

        Raises NotStartedError when the disk is full, or something that is no home of ours is in its place.
        """
        if not USER_NAME.fullmatch(name):
            raise NotStartedError(500, "This name cannot have a home folder. Please tell your administrator.")
        self._check_free()
        home = self.here / name
        try:
            # The hub runs with the users' uid and gid, so the new folder is theirs.
            home.mkdir(mode=HOME_MODE)
        except FileExistsError:
            _check_home(home)
        except OSError as error:
            raise NotStartedError(
                500, f"Your home folder cannot be made ({error.strerror}). Please tell your administrator."
            ) from None
        return f"{self.on_machine}/{name}"

    async def limited(self, name: str) -> None:
        """Wait until a home is kept within its limit, where there is one.

        Raises NotStartedError when that does not come: nobody gets more than the others by chance.
        """
        if self.limit_gb is None:
            return
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while self._whole_bytes(name) > limit_bytes(self.limit_gb):
            if asyncio.get_running_loop().time() > deadline:
                raise NotStartedError(
                    500,
                    "The hub cannot limit the space of your home folder, as its settings ask. Your files are "
                    "safe. Please tell your administrator: the container home-limits says why in its log.",
                )
            await asyncio.sleep(0.1)

    def usage(self, name: str) -> HomeUsage | None:
        """What a user's home holds of what it may; None without a limit, or before there is a home.

        Of a folder with a project the system tells what the project has, to anybody who asks.
        """
        if self.limit_gb is None or not USER_NAME.fullmatch(name):
            return None
        try:
            disk = os.statvfs(self.here / name)
        except FileNotFoundError:
            return None
        return HomeUsage(
            used_bytes=(disk.f_blocks - disk.f_bfree) * disk.f_frsize,
            most_bytes=disk.f_blocks * disk.f_frsize,
            used_files=disk.f_files - disk.f_ffree,
            most_files=disk.f_files,
        )

    def usages(self) -> dict[str, HomeUsage]:
        """User to what their home holds, for all homes; nobody without a limit."""
        if self.limit_gb is None:
            return {}
        with os.scandir(self.here) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        return {name: usage for name in names if (usage := self.usage(name))}

    def _whole_bytes(self, name: str) -> int:
        found = os.statvfs(self.here / name)
        return found.f_blocks * found.f_frsize

    def _check_free(self) -> None:
        disk = os.statvfs(self.here)
        free = disk.f_bavail * disk.f_frsize
        whole = disk.f_blocks * disk.f_frsize
        if free < FREE_MIN_BYTES or free < whole * FREE_MIN_SHARE:
            raise NotStartedError(
                507,
                f"The hub's disk is full: {free // _MB} MB of {whole // _MB} MB are free. "
                "Your files are safe, but no server can start. Please tell your administrator.",
            )


def _check_home(home: Path) -> None:
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode):
        # A link could lead a server's mount to any folder of the machine.
        raise NotStartedError(500, "Your home folder is not a folder. Please tell your administrator.")
    if found.st_uid != os.getuid():
        raise NotStartedError(
            500, "Your home folder belongs to somebody else. Please tell your administrator."
        )
