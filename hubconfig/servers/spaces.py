"""Shows users' servers the folders of other machines, so that these may come, go and come back at any time.

What Docker mounts is a plain folder of the machine, in which the remote one is mounted or not. Were it the
remote one itself, no server could start while the remote is gone, and one that runs would not see it come
back. The place that the settings promise is a link into the plain folder.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any

from hubconfig.space_options import RcloneSpace, SshfsSpace

_INSIDE = "/srv/spaces"

RemoteSpace = SshfsSpace | RcloneSpace


def mount(space: RemoteSpace, on_machine: str) -> dict[str, Any]:
    """What Docker mounts for a space.

    :param on_machine: the plain folder, which is root's, so that users write to the remote one or nowhere.
    """
    return {
        "type": "bind",
        "source": on_machine,
        "target": f"{_INSIDE}/{space.name}",
        # Docker would make what is mounted below read-only only if it is there already.
        "read_only": False,
        "propagation": "rslave",
    }


def links(spaces: Iterable[RemoteSpace]) -> Mapping[str, str]:
    """Path in a server to where the remote folder is."""
    return {space.mount: f"{_INSIDE}/{space.name}/remote" for space in spaces}


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
