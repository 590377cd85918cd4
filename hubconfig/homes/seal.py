"""Starts a user's server so that it cannot leave the project that its home's limit is kept by.

Linux lets the owner of a file make it one of another project, which has no limit or somebody else's. Here
the kernel is told to refuse that, to this process and to all that it will ever start; what Docker's own
filter refuses stays refused. Runs inside the server's container, by whatever Python its image has:
`python3 -c THIS-TEXT PROGRAM WORD...`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

_X86_64, _I386, _AARCH64, _ARM = 0xC000003E, 0x40000003, 0xC00000B7, 0x40000028
_IOCTL = {_X86_64: 16, _I386: 54, _AARCH64: 29, _ARM: 54}
"""Kind of program (linux/audit.h) to its number of the call ioctl: a machine runs those of 32 bits, too."""

_FILE_SETATTR = 469
"""Its number for all of them; since Linux 6.17 it does what the first of these ioctls does."""

_REFUSED = (0x401C5820, 0x40086602, 0x40046602)
"""FS_IOC_FSSETXATTR; FS_IOC_SETFLAGS as programs of 64 and of 32 bits call it, by which a folder would no
longer hand its project on."""

_X32 = 0x40000000
"""The calls from here on are those of a third kind of program, which nobody has."""

_LOAD, _EQUAL, _AT_LEAST, _END = 0x20, 0x15, 0x35, 0x06
"""Instructions of linux/bpf_common.h: take a word of the call; jump; tell the kernel what to do."""

_CALL, _KIND, _SECOND = 0, 4, 24
"""Where a call's number, its kind and the low half of its second argument are. The kernel looks at no more
than that half, so neither may the filter."""

_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM

_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def program() -> bytes:
    """The filter, as the kernel wants it."""
    lines: list[tuple[int, int, int, int]] = [(_LOAD, 0, 0, _KIND)]
    for kind, ioctl in _IOCTL.items():
        block = [(_LOAD, 0, 0, _CALL)]
        if kind == _X86_64:
            block += [(_AT_LEAST, 0, 1, _X32), (_END, 0, 0, _REFUSE)]
        block += [(_EQUAL, 0, 1, _FILE_SETATTR), (_END, 0, 0, _REFUSE)]
        block += [(_EQUAL, 1, 0, ioctl), (_END, 0, 0, _ALLOW)]
        block += [(_LOAD, 0, 0, _SECOND)]
        for request in _REFUSED:
            block += [(_EQUAL, 0, 1, request), (_END, 0, 0, _REFUSE)]
        block += [(_END, 0, 0, _ALLOW)]
        lines += [(_EQUAL, 0, len(block), kind), *block]
    lines += [(_END, 0, 0, _KILL)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def seal() -> None:
    """Put the filter in force. Raises OSError."""
    lines = program()
    kept = ctypes.create_string_buffer(lines, len(lines))
    told = struct.pack("@HP", len(lines) // 8, ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    none = ctypes.c_ulong(0)
    calls = (
        (_NO_NEW_PRIVILEGES, ctypes.c_ulong(1), none, none, none),
        (_SECCOMP, ctypes.c_ulong(_FILTER), told, none, none),
    )
    for words in calls:
        if libc.prctl(*words) != 0:
            raise OSError(ctypes.get_errno(), "the server cannot be kept within its home's limit")


if __name__ == "__main__":
    seal()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - to become it is the purpose
