"""Linux's project quotas: which project a file is of, and how much all files of a project may take.

Debian's tools for this find the filesystem by the name of its disk, which a container does not have. The
kernel takes any open file of it instead (since 5.14).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
from dataclasses import dataclass

GET_ATTRIBUTES = 0x801C581F
SET_ATTRIBUTES = 0x401C5820
"""FS_IOC_FSGETXATTR and FS_IOC_FSSETXATTR of linux/fs.h."""

_ATTRIBUTES = struct.Struct("=5I8x")
"""struct fsxattr: flags, extent size, extents, project, extent size for copies."""

_INHERIT = 0x200
"""FS_XFLAG_PROJINHERIT: what is made in this folder is of its project."""

_QUOTACTL_FD = 443
"""The number of the system call quotactl_fd, which is the same on all machines."""

_PROJECTS = 2
"""PRJQUOTA: the id in a call is a project's."""

_GET = 0x800007 << 8 | _PROJECTS
_SET = 0x800008 << 8 | _PROJECTS
_STATE = (ord("X") << 8 | 5) << 8 | _PROJECTS
"""Q_GETQUOTA, Q_SETQUOTA and Q_XGETQSTAT, each for projects."""

_LIMITS = struct.Struct("=8QI4x")
"""struct if_dqblk: most and wanted space, used; most and wanted files, used; two times; what is given."""

_LIMITS_GIVEN = 1 | 4
"""QIF_BLIMITS and QIF_ILIMITS: limits of space and of files are given."""

_SPACE_UNIT = 1024
"""QIF_DQBLKSIZE: in what a limit of space is told, in bytes."""

_ENFORCED = 1 << 5
"""FS_QUOTA_PDQ_ENFD: projects are kept within their limits."""

FILE_BYTES = 4096
"""What a file takes at the least. A project may have so many files as would fill it, so that nobody takes
all inodes of the disk with empty ones."""

_libc = ctypes.CDLL(None, use_errno=True)


class NoQuotasError(Exception):
    """The filesystem does not limit projects; the text says why."""


@dataclass(frozen=True)
class Attributes:
    """What a file or folder is of."""

    project: int
    inherits: bool
    """Whether what is made in it is of the same project."""


def attributes(fd: int) -> Attributes:
    """Those of an open file or folder. Raises OSError where the filesystem knows no projects."""
    flags, _, _, project, _ = _ATTRIBUTES.unpack(_read(fd))
    return Attributes(project, bool(flags & _INHERIT))


def put(fd: int, project: int, *, inherit: bool) -> None:
    """Make a file or folder one of a project. Raises OSError."""
    flags, extent, extents, _, copies = _ATTRIBUTES.unpack(_read(fd))
    flags = flags | _INHERIT if inherit else flags & ~_INHERIT
    fcntl.ioctl(fd, SET_ATTRIBUTES, _ATTRIBUTES.pack(flags, extent, extents, project, copies))


def check(fd: int) -> None:
    """Raise NoQuotasError unless the filesystem of an open file keeps projects within their limits."""
    state = ctypes.create_string_buffer(128)
    try:
        attributes(fd)
        _quotactl(fd, _STATE, 0, state)
    except OSError as error:
        why = {
            errno.ENOSYS: "its kernel is older than 5.14, or was built without quotas",
            errno.ESRCH: "it is not mounted with prjquota",
        }.get(error.errno or 0, f"it knows no project quotas ({os.strerror(error.errno or 0)})")
        raise NoQuotasError(why) from None
    (flags,) = struct.unpack_from("=H", state.raw, 2)
    if not flags & _ENFORCED:
        raise NoQuotasError(
            "it counts what projects take but is not mounted with prjquota, so it does not limit them"
        )


def is_free(fd: int, project: int) -> bool:
    """Whether nothing is of a project, and nobody has limited it."""
    known = ctypes.create_string_buffer(_LIMITS.size)
    _quotactl(fd, _GET, project, known)
    return not any(_LIMITS.unpack(known.raw)[:6])


def limit(fd: int, project: int, most_bytes: int) -> None:
    """Set what all files of a project may take together; 0: as much as there is. Needs CAP_SYS_ADMIN."""
    most = _LIMITS.pack(most_bytes // _SPACE_UNIT, 0, 0, most_bytes // FILE_BYTES, 0, 0, 0, 0, _LIMITS_GIVEN)
    _quotactl(fd, _SET, project, ctypes.create_string_buffer(most, len(most)))


def _read(fd: int) -> bytes:
    return fcntl.ioctl(fd, GET_ATTRIBUTES, bytes(_ATTRIBUTES.size))


def _quotactl(fd: int, command: int, project: int, data: ctypes.Array[ctypes.c_char]) -> None:
    if _libc.syscall(_QUOTACTL_FD, fd, ctypes.c_uint(command), ctypes.c_uint(project), data) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
