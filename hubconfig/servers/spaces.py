"""Shows users' servers the folders of other machines, so that these may come, go and come back at any time.

What Docker mounts is a plain folder of the machine; the remote one is mounted inside it while it can be
reached. Were it the remote one itself, no server could start while the remote is gone, and one that runs
would not see it come back. The place that the settings promise is a link into the plain folder.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from hubconfig.homes import ways
from hubconfig.space_options import FolderSpace, RcloneSpace, Space, SshfsSpace

_INSIDE = "/srv/spaces"

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


def packed(paths: Mapping[str, str]) -> bytes:
    """The links as an archive that Docker unpacks at a container's root."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, target in paths.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.type = tarfile.SYMTYPE
            entry.linkname = target
            tar.addfile(entry)
    return archive.getvalue()
