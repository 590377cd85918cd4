"""What an image keeps in its own home, such as notebooks and settings, put into a user's, which hides it.

Nothing that is there is changed, and nothing is put anywhere but below the home.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import IO, cast

from hubconfig.homes.inside import below, new_file

MOST_BYTES = 2 * 10**9
MOST_FILES = 50_000
"""An image whose home holds more keeps an environment there, which is no start for a person's own files."""

_IN_THE_WAY = {errno.EEXIST, errno.ELOOP, errno.ENOTDIR}


class TooMuchError(Exception):
    """An image's home holds more than anybody wants in theirs; the message says how much is taken."""


def unpack(chunks: Iterable[bytes], home: int) -> int:
    """Put an archive of an image's home into an open one; how many files and links are new.

    :param chunks: a tar archive, in whose paths the first folder is the image's home.
    Raises OSError where a file cannot be written, TooMuchError after so many.
    """
    new = whole = 0
    stream = cast("IO[bytes]", io.BufferedReader(_Stream(chunks), 1 << 20))
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for number, member in enumerate(archive):
            whole += member.size
            if number >= MOST_FILES or whole > MOST_BYTES:
                raise TooMuchError(f"more than {MOST_FILES:,} files or {MOST_BYTES // 10**9} GB")
            parts = PurePosixPath(member.name).parts[1:]
            if not parts or ".." in parts or member.name.startswith("/"):
                continue
            try:
                new += _put(archive, member, parts, home)
            except OSError as error:
                if error.errno not in _IN_THE_WAY:
                    raise
    return new


def _put(archive: tarfile.TarFile, member: tarfile.TarInfo, parts: tuple[str, ...], home: int) -> bool:
    """Put one thing there; whether it is a new file or link. Raises OSError where something is in the way."""
    if member.isdir():
        with below(home, parts):
            return False
    with below(home, parts[:-1]) as folder:
        if member.issym():
            os.symlink(member.linkname, parts[-1], dir_fd=folder)
            return True
        content = archive.extractfile(member) if member.isreg() else None
        if content is None:
            return False  # a device, a pipe, or a second name of a file
        with new_file(folder, parts[-1], member.mode & 0o755 | 0o600) as file:
            shutil.copyfileobj(content, file)
        return True


class _Stream(io.RawIOBase):
    """Chunks as a file that is read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # as io.BufferedReader calls it
        while not self._rest:
            try:
                self._rest = next(self._chunks)
            except StopIteration:
                return 0
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
