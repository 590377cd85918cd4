"""Has the data volume's links not followed: what a user swaps for a link while it is read leads nowhere.

restic is root and opens by path. A folder of a home that becomes a link to another home or to a hub's
secrets, after it was listed and before it is read, would bring them into the user's part of the snapshot.
Linux 5.10 and later can refuse links for a whole mount; that takes a right which is given up at once.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_NOSYMFOLLOW = 256
_REMOUNT_BIND = 32 | 4096
_ST_NOSYMFOLLOW = 0x2000
_KEPT = {1: 1, 2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}
"""statvfs's flags to mount's: read-only, nosuid, nodev, noexec, noatime, nodiratime, relatime."""


def mounts(root: str, mountinfo: str) -> list[str]:
    """Where something is mounted at or below a folder."""
    points = [line.split()[4] for line in mountinfo.splitlines() if line]
    plain = {point.encode().decode("unicode_escape").encode("latin-1").decode() for point in points}
    return sorted(point for point in plain if point == root or point.startswith(f"{root}/"))


def followed(root: str) -> list[str]:
    """The mounts at or below a folder on which links lead somewhere, and the folder if it is no mount."""
    found = mounts(root, Path("/proc/self/mountinfo").read_text())
    found += [] if root in found else [root]
    return [point for point in found if not os.statvfs(point).f_flag & _ST_NOSYMFOLLOW]


def refuse_links(root: str) -> None:
    """Have links not followed. What could not be done `followed` tells."""
    libc = ctypes.CDLL(None, use_errno=True)
    for point in followed(root):
        flags = os.statvfs(point).f_flag
        kept = sum(mount for st, mount in _KEPT.items() if flags & st)
        libc.mount(None, point.encode(), None, _REMOUNT_BIND | _NOSYMFOLLOW | kept, None)


if __name__ == "__main__":
    refuse_links(sys.argv[1])
