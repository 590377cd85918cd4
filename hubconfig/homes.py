"""Users' home folders: made with the right owner and mode from the first moment."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from hubconfig.names import USER_NAME
from hubconfig.not_started import NotStartedError

HOME_MODE = 0o700

FREE_MIN_BYTES = 200 * 1024**2
FREE_MIN_SHARE = 0.01
"""Below either, no server is started: JupyterLab itself writes some MB, and a full disk stops everybody."""

_MB = 1024**2


@dataclass(frozen=True)
class Homes:
    """The folder of homes, as the hub sees it and as the machine does."""

    here: Path
    on_machine: str

    def prepare(self, name: str) -> str:
        """Make a user's home if there is none; its path on the machine.

        Raises NotStartedError when the disk is full, or something that is no home of ours is in its place.
        """
        if not USER_NAME.fullmatch(name):
            msg = "This name cannot have a home folder. Please tell your administrator."
            raise NotStartedError(500, msg)
        self._check_room()
        home = self.here / name
        try:
            # The hub runs with the users' uid and gid, so the new folder is theirs.
            home.mkdir(mode=HOME_MODE)
        except FileExistsError:
            _check_home(home)
        except OSError as error:
            msg = f"Your home folder cannot be made ({error.strerror}). Please tell your administrator."
            raise NotStartedError(500, msg) from None
        return f"{self.on_machine}/{name}"

    def _check_room(self) -> None:
        room = os.statvfs(self.here)
        free = room.f_bavail * room.f_frsize
        whole = room.f_blocks * room.f_frsize
        if free < FREE_MIN_BYTES or free < whole * FREE_MIN_SHARE:
            msg = (
                f"The hub's disk is full: {free // _MB} MB of {whole // _MB} MB are free. "
                "Your files are safe, but no server can start. Please tell your administrator."
            )
            raise NotStartedError(507, msg)


def _check_home(home: Path) -> None:
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode):
        # A link could lead a server's mount to any folder of the machine.
        msg = "Your home folder is not a folder. Please tell your administrator."
        raise NotStartedError(500, msg)
    if found.st_uid != os.getuid():
        msg = "Your home folder belongs to somebody else. Please tell your administrator."
        raise NotStartedError(500, msg)
