"""Copies of databases: consistent while the hub writes, which a plain copy of the file need not be."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from hubconfig.backup.options import Refused
from hubconfig.backup.volume import is_ours

_BUSY_SECONDS = 20.0
"""How long a writer is waited for."""


def clear(staging: Path) -> None:
    """Remove what an earlier backup left. Raises Refused where the folder may hold somebody else's."""
    if not staging.exists() and not staging.is_symlink():
        return
    if not is_ours(staging):
        raise Refused(f"{staging} holds what no backup put there; move it away")
    shutil.rmtree(staging)


def stage(databases: list[Path], root: Path, staging: Path) -> None:
    """Copy databases to the same places below the staging folder. Raises Refused."""
    clear(staging)
    staging.mkdir(mode=0o700)
    for database in databases:
        copy = staging / database.relative_to(root)
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _copy(database, copy)
            check(copy)
        except (sqlite3.Error, OSError) as error:
            raise Refused(f"the hub's database could not be copied: {database}: {error}") from None


def check(copy: Path) -> int:
    """The users that a copy knows. Raises sqlite3.Error where it is not a hub's database, or not whole."""
    opened = sqlite3.connect(_address(copy, "immutable=1"), uri=True)
    try:
        if (said := opened.execute("pragma quick_check").fetchone()) != ("ok",):
            raise sqlite3.DatabaseError(f"it is damaged: {said}")
        (users,) = opened.execute("select count(*) from users").fetchone()
    finally:
        opened.close()
    return int(users)


def unlearn(copy: Path) -> None:
    """Have a copy forget what is not so after a restore. Raises sqlite3.Error.

    Servers that ran then do not run now; the hub must not look for them, perhaps among another stack's.
    Sign-ins' tokens are encrypted by a key that is made anew.
    """
    opened = sqlite3.connect(copy, isolation_level=None)
    try:
        opened.execute("delete from servers where id in (select server_id from spawners)")
        opened.execute("update spawners set server_id = null, state = '{}'")
        opened.execute("update users set encrypted_auth_state = null")
        opened.execute("pragma wal_checkpoint(truncate)")
    finally:
        opened.close()


def place(copy: Path, database: Path) -> None:
    """Put a copy where the hub reads it; it belongs to whom its folder belongs to. Raises OSError."""
    for journal in ("-journal", "-wal", "-shm"):
        database.with_name(database.name + journal).unlink(missing_ok=True)
    owner = database.parent.stat()
    new = database.with_name(f"{database.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as target, copy.open("rb") as source:
        shutil.copyfileobj(source, target)
        os.fchown(target.fileno(), owner.st_uid, owner.st_gid)
    new.replace(database)


def _copy(database: Path, copy: Path) -> None:
    source = sqlite3.connect(_address(database, "mode=ro"), uri=True, timeout=1)
    target = sqlite3.connect(copy)
    try:
        source.backup(target, progress=_patience(time.monotonic() + _BUSY_SECONDS), sleep=0.1)
    finally:
        target.close()
        source.close()


def _patience(deadline: float) -> Callable[[int, int, int], None]:
    """Python itself would wait for ever for one who writes."""

    def look(status: int, _remaining: int, _total: int) -> None:
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and time.monotonic() > deadline:
            raise sqlite3.OperationalError("database is locked")

    return look


def _address(file: Path, how: str) -> str:
    return f"file:{quote(str(file))}?{how}"
