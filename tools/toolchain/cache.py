"""Keeps what was built, under a key of all that went into it."""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.toolchain.places import ROOT, cache

_KEY_LENGTH = 16


def key_of(files: Iterable[Path], *words: str) -> str:
    """A name for the content of these files of the checkout, these words and the kind of machine."""
    digest = hashlib.sha256()
    for word in (platform.system(), platform.machine(), *words):
        digest.update(f"{word}\0".encode())
    for file in sorted(files):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(ROOT)}\0{content}\0".encode())
    return digest.hexdigest()[:_KEY_LENGTH]


def entry(name: str, key: str) -> Path:
    """Where the finished build is, or would be."""
    return cache() / f"{name}-{key}"


def build_once(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """The folder that `build` fills, from the cache if it was filled before.

    It is filled under another name and renamed when whole, so a build that was killed is never taken
    for a finished one; a second build of the same waits for the first and uses its result.
    """
    finished = entry(name, key)
    if finished.is_dir():
        return finished
    cache().mkdir(parents=True, exist_ok=True)
    unfinished = f".{finished.name}."
    with _lock(cache() / f"{unfinished}lock"):
        if finished.is_dir():
            return finished
        for left_over in cache().glob(f"{unfinished}*/"):
            shutil.rmtree(left_over)
        with tempfile.TemporaryDirectory(prefix=unfinished, dir=cache()) as folder:
            made = Path(folder) / "made"
            made.mkdir()
            build(made)
            made.rename(finished)
    return finished


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    """Let one process at a time in; the kernel frees the lock of a process that dies."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
