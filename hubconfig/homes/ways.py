"""Makes the way to what is shown inside a home, as the home's owner.

Docker would make missing folders as root, in everybody's home, and leave them there. The owner may put a link
in the way at any moment, so no step follows one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from hubconfig.homes.inside import below, opened


def make_folders(home: Path, folders: Sequence[str]) -> list[str]:
    """Make folders in a home, with all that are missing on the way; those that cannot be made are returned.

    :param folders: as paths in the home, where a file or a link may be in the place of one.
    """
    return [path for path in folders if not _can(home, path)]


def make_links(home: Path, links: Mapping[str, str]) -> list[str]:
    """Make links in a home; those in whose place something else is are returned.

    :param links: path in the home to what it leads to.
    """
    return [path for path, target in links.items() if not _linked(home, path, target)]


def _can(home: Path, path: str) -> bool:
    try:
        with opened(home) as inside, below(inside, PurePosixPath(path).parts):
            return True
    except OSError:
        return False


def _linked(home: Path, path: str, target: str) -> bool:
    *way, name = PurePosixPath(path).parts
    try:
        with opened(home) as inside, below(inside, way) as folder:
            with suppress(FileExistsError):
                os.symlink(target, name, dir_fd=folder)
            return os.readlink(name, dir_fd=folder) == target
    except OSError:
        return False
