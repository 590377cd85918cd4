"""Shows users' servers the shared folders, at their place and in the home, where file browsers begin.

A folder of another machine may come, go and come back at any time. What Docker mounts for it is a plain
folder of the machine; the remote one is mounted inside it while it can be reached. Were it the remote one
itself, no server could start while the remote is gone, and one that runs would not see it come back. The
place that the settings promise is a link into the plain folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from hubconfig.homes import ways
from hubconfig.space_options import FolderSpace, RcloneSpace, Space, SshfsSpace

_INSIDE = "/srv/spaces"

SHARED = "/srv/shared"
"""The folder in a server with a link to each space. Links in homes lead there, and are known by that."""

_IN_HOME = re.compile(r"shared-(?P<name>.+)")

RemoteSpace = SshfsSpace | RcloneSpace


def mount(space: Space, on_machine: str) -> dict[str, Any]:
    """What Docker mounts for a space.

    :param on_machine: a folder of the machine; for a remote space the plain one, which is root's, so that
        users write to the remote one or nowhere.
    """
    if isinstance(space, FolderSpace):
        return {"type": "bind", "source": on_machine, "target": space.mount, "read_only": space.read_only}
    return {
        "type": "bind",
        "source": on_machine,
        "target": f"{_INSIDE}/{space.name}",
        # Docker would make what is mounted below read-only only if it is there already.
        "read_only": False,
        "propagation": "rslave",
    }


def links(spaces: Iterable[RemoteSpace], *, outside: str = "") -> Mapping[str, str]:
    """Path in a server to where the remote folder is.

    :param outside: leave out those in this home, where Docker would make them as root's.
    """
    return {
        space.mount: f"{_INSIDE}/{space.name}/remote"
        for space in spaces
        if not (outside and PurePosixPath(space.mount).is_relative_to(outside))
    }


def make_ways(folder: Path, home: str, spaces: Iterable[Space]) -> list[str]:
    """Have the places in a home at which spaces are seen.

    :param folder: the home, as the hub sees it.
    :param home: the same, as its server does.

    Gives the paths, as servers see them, in whose place something else is.
    """
    inside = {
        str(PurePosixPath(space.mount).relative_to(home)): space
        for space in spaces
        if PurePosixPath(space.mount).is_relative_to(home)
    }
    plain = [path for path, space in inside.items() if isinstance(space, FolderSpace)]
    remote = {
        path: f"{_INSIDE}/{space.name}/remote"
        for path, space in inside.items()
        if not isinstance(space, FolderSpace)
    }
    taken = [*ways.make_folders(folder, plain), *ways.make_links(folder, remote)]
    return [inside[path].mount for path in taken]


def shared_links(spaces: Iterable[Space]) -> Mapping[str, str]:
    """Path in a server to the space's place, by which links in homes find it wherever it is."""
    return {f"{SHARED}/{space.name}": space.mount for space in spaces}


def name_in_home(space: Space) -> str:
    """What the link in a home is called that leads to a space."""
    return f"shared-{space.name}"


def put_links(home: int, spaces: Iterable[Space], seen_at: str) -> None:
    """Have a link in an open home to each space, and none to spaces that are gone.

    Only what is such a link is ever removed; where something else has its name, there is no link.

    :param seen_at: where servers see the home; a space that is mounted inside it needs no link.
    Raises OSError where the home cannot be written.
    """
    wanted = {
        name_in_home(space): f"{SHARED}/{space.name}"
        for space in spaces
        if not PurePosixPath(space.mount).is_relative_to(seen_at)
    }
    for name in os.listdir(home):
        if (ours := _IN_HOME.fullmatch(name)) and name not in wanted:
            with suppress(OSError):  # it is no link
                if os.readlink(name, dir_fd=home) == f"{SHARED}/{ours['name']}":
                    os.unlink(name, dir_fd=home)
    for name, target in wanted.items():
        with suppress(FileExistsError):
            os.symlink(target, name, dir_fd=home)
