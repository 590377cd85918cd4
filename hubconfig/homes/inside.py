"""Writes into a home, whose owner may put a link in the way at any moment: no step follows one.

The hub has the owner's uid, so what it writes is theirs; but it also sees what they must not write to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from hubconfig.homes.tree import FOLDER

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

NOTES = ".cyberhub"
"""The folder in a home in which the hub notes what it has put there, so that it does so once."""


@contextmanager
def opened(home: Path) -> Iterator[int]:
    """A home's open folder. Raises OSError where it is none."""
    folder = os.open(home, FOLDER | os.O_CLOEXEC)
    try:
        yield folder
    finally:
        os.close(folder)


@contextmanager
def below(top: int, parts: Sequence[str]) -> Iterator[int]:
    """The open folder at a path below an open one; folders that are missing are made.

    Raises OSError where something else, such as a link, is in a folder's place.
    """
    here = os.dup(top)
    try:
        for part in parts:
            with suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=here)
            inner = os.open(part, FOLDER | os.O_CLOEXEC, dir_fd=here)
            os.close(here)
            here = inner
        yield here
    finally:
        os.close(here)


def is_there(folder: int, name: str) -> bool:
    """Whether an open folder has anything of this name, a link that leads nowhere too."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def new_file(folder: int, name: str, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A file that is not there yet, in an open folder; gone again when writing it fails.

    Raises FileExistsError where anything of its name is there.
    """
    number = os.open(name, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            os.fchmod(number, mode)
    except BaseException:
        os.unlink(name, dir_fd=folder)
        raise


def is_noted(home: int, what: str) -> bool:
    """Whether the hub has noted this in an open home."""
    try:
        with below(home, [NOTES]) as notes:
            return is_there(notes, what)
    except OSError:
        # Somebody put something else in the folder's place, or it cannot be made: nothing can be noted.
        return True


def note(home: int, what: str) -> None:
    """Note something in an open home. Raises OSError where that cannot be."""
    with below(home, [NOTES]) as notes, suppress(FileExistsError), new_file(notes, what):
        pass
