"""Whether the filesystem of the data folder can hold a hub's database and users' homes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from infra.checks.home_limits import data_filesystem, data_path
from infra.stack.faults import Fault
from infra.stack.sections import Sections

_FAR: Final = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ceph", "glusterfs", "lustre", "gpfs", "beegfs")
)
"""Filesystems of another machine."""

_OWNERLESS: Final = frozenset(
    ("vfat", "exfat", "msdos", "ntfs", "ntfs3", "fuseblk", "drvfs", "vboxsf", "prl_fs")
)
"""Filesystems in which files have no owners of their own."""


def faults(sections: Sections) -> Sequence[Fault]:
    """A filesystem on which the hub would lose data, or could not give homes to their owners.

    SQLite's write-ahead log needs memory that all who open the database share, which no filesystem of another
    machine gives (sqlite.org/wal.html); and root is nobody on most of them, so that homes get no owners.
    """
    found = data_filesystem(sections)
    if found is None:
        return []
    if found.kind in _FAR or found.kind.startswith("fuse."):
        why = "which another machine or a program serves: it would damage the hub's database"
    elif found.kind in _OWNERLESS:
        why = "whose files have no owners: users could read each other's homes"
    else:
        return []
    return [
        Fault(
            "cloud.dataDir",
            f"{data_path(sections)} is on {found.kind}, {why}. Name a folder on a disk of the machine itself "
            "(ext4 or xfs); a folder of another machine can be a space (docs/data.md)",
        )
    ]
