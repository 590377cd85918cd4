"""Goes through a folder whose owner may nest, swap and move what is in it at any moment."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator, Iterator

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
"""How a folder is opened, and nothing that its owner put in its place."""


def everything(top: int, tell: Callable[[OSError], None]) -> Iterator[tuple[str | None, int]]:
    """All that is below an open folder, each with the open folder it is in; None after each folder.

    However deep it is, three folders are open at once: an owner can nest them deeper than a process may have
    files open, and than a path may be long. So it is gone down into, and back up by `..`, which must be
    where it came from: whoever moves folders meanwhile has the rest left out, until the next walk.
    A folder is given before it is looked into, so what is made in it meanwhile is of its project, too.

    :param tell: is given what cannot be opened or read, which is left out.
    Raises OSError when it cannot find its way back.
    """
    here = os.dup(top)
    above: list[tuple[tuple[int, int], list[str]]] = []
    try:
        left = yield from _entries(here, tell)
        while left or above:
            if not left:
                was, left = above.pop()
                here = _into("..", here, was)
                continue
            name = left.pop()
            try:
                inner = os.open(name, FOLDER, dir_fd=here)
            except FileNotFoundError:
                continue
            except OSError as error:
                tell(error)
                continue
            above.append((_identity(here), left))
            os.close(here)
            here = inner
            left = yield from _entries(here, tell)
    finally:
        os.close(here)


def _entries(
    folder: int, tell: Callable[[OSError], None]
) -> Generator[tuple[str | None, int], None, list[str]]:
    """Give all that is in one open folder; the folders among it, which are to be gone into."""
    inner = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield entry.name, folder
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.name)
    except OSError as error:
        tell(error)
    yield None, folder
    return inner


def _into(name: str, folder: int, expected: tuple[int, int]) -> int:
    """Open a folder in place of another. Raises OSError when it is not the one that it was."""
    found = os.open(name, FOLDER, dir_fd=folder)
    if _identity(found) != expected:
        os.close(found)
        raise OSError(errno.ESTALE, "a folder was moved while it was looked through")
    os.close(folder)
    return found


def _identity(folder: int) -> tuple[int, int]:
    found = os.fstat(folder)
    return found.st_dev, found.st_ino
