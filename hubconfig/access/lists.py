"""The access lists on the data volume: read anew when they change, and no mishap opens the hub."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from hubconfig.access.rules import Entries, read_entries, split_lines

LONGEST_LIST_BYTES = 1 << 20
"""Some 50,000 names; what is larger was not written for a hub."""

SETTLE_S = 0.3
"""A file that changed this recently may still be half written: editors empty it, then write."""

EMPTY_SETTLE_S = 2.0
"""The same for a wlist that has become empty, as that may open the hub to everybody."""

GONE_SETTLE_S = 2.0
"""How long a file must be gone for the administrator to be told; editors move it away and back."""

Signature = tuple[int, int, int, int] | str


class BrokenListError(Exception):
    """A list file that cannot be used; the message says why and what to do."""


class ListFile:
    """One list file, and the last good state of it, which outlives the hub's restarts."""

    def __init__(self, path: Path, keep: Path, log: logging.Logger, empty_settle_s: float = SETTLE_S) -> None:
        """Take what is in force: the file, or else its last good state.

        :param keep: where a copy of the last good file is kept.
        :param empty_settle_s: how long the file must have been empty to be believed.
        """
        self.path = path
        self.problem = ""
        """What the administrator must know and do; empty when all is well."""
        self.entries = Entries()
        self._keep = keep
        self._empty_settle_s = empty_settle_s
        self._log = log
        self._taken: Signature | None = None
        self._seen: Signature | None = None
        self._seen_at = 0.0
        self._own: Signature | None = None
        self._start()

    def look(self) -> bool:
        """Take in the file if it has changed, and say whether the list has.

        A file that is gone, unreadable, too large or not text leaves the last good list in force.
        """
        signature = self._signature()
        if signature == self._taken:
            return False
        if signature != self._seen:
            self._seen, self._seen_at = signature, time.monotonic()
        for_s = max(time.monotonic() - self._seen_at, _age_s(signature))
        if for_s < (GONE_SETTLE_S if signature == "gone" else SETTLE_S):
            return False
        return self._take(signature, for_s)

    def append(self, line: str) -> bool:
        """Add a line at the end, keeping every byte before it, the mode and, where allowed, the owner.

        Gives False when somebody seems to be writing the file at this moment; try again later.
        Raises OSError when it cannot be written, BrokenListError when it cannot be read.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self._keep.with_suffix(".lock")):
            before = self._signature()
            if before == "gone":
                if self.entries.given:
                    raise BrokenListError("is gone, and a new one would take the place of the list in force")
            elif before != self._own and _age_s(before) < SETTLE_S:
                return False
            path = self.path.resolve()
            old = b"" if before == "gone" else _read(path)
            _text(old, path.name)
            gap = b"\n" if old and not old.endswith((b"\n", b"\r")) else b""
            beside = path.with_name(f".{path.name}.new")
            _write(beside, old + gap + f"{line}\n".encode())
            if before != "gone":
                kept = path.stat()
                beside.chmod(stat.S_IMODE(kept.st_mode))
                with contextlib.suppress(PermissionError):
                    os.chown(beside, kept.st_uid, kept.st_gid)
            if self._signature() != before:
                return False
            beside.replace(path)
            self._own = self._signature()
        return True

    def _start(self) -> None:
        try:
            self.entries = read_list(_read(self._keep), self.path.name)
            self._log.info("access: %s was last in force with entries: %d", self.path, self.entries.size)
        except FileNotFoundError:
            if self._signature() == "gone":
                return
            self.entries = Entries(given=True, unknown=True)
        except (OSError, BrokenListError) as error:
            self._log.error("access: the last good state of %s is lost: %s", self.path, error)
            self.entries = Entries(given=True, unknown=True)
        signature = self._signature()
        if self.entries.unknown or _age_s(signature) >= SETTLE_S:
            self._take(signature, self._empty_settle_s)

    def _take(self, signature: Signature, for_s: float) -> bool:
        if signature == "gone":
            self._taken = signature
            if self.entries.given:
                self._report(
                    f"{self.path} is gone; the list that was in force stays so. "
                    "Put it back, or put an empty file there if nobody is to be on it"
                )
            return False
        try:
            data = _read(self.path)
            entries = read_list(data, self.path.name)
        except (OSError, BrokenListError) as error:
            if isinstance(error, BrokenListError):
                self._taken = signature
            self._report(f"{self.path}: {_words(error)}; the list that was in force stays so")
            return False
        if self._signature() != signature or (
            self.entries.given and not entries.given and for_s < self._empty_settle_s
        ):
            return False
        self._taken = signature
        changed = entries != self.entries
        self.entries = entries
        self._say_taken()
        self._save(data)
        return changed

    def _say_taken(self) -> None:
        self._log.info("access: %s read, entries: %d", self.path, self.entries.size)
        faults = "; ".join(self.entries.faults[:5])
        more = len(self.entries.faults) - 5
        self._report(
            f"{self.path}: {len(self.entries.faults)} lines are not understood and count for nobody: "
            f"{faults}{f' and {more} more' if more > 0 else ''}. "
            "A line holds one of: name, name:id, org:NAME, team:ORG/TEAM"
            if faults
            else ""
        )

    def _save(self, data: bytes) -> None:
        beside = self._keep.with_suffix(".new")
        try:
            self._keep.parent.mkdir(parents=True, exist_ok=True)
            _write(beside, data)
            beside.replace(self._keep)
        except OSError as error:
            self._report(
                f"{self._keep} cannot be written ({_words(error)}); "
                f"should {self.path.name} break before a restart, its last good state is lost"
            )

    def _report(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            if problem:
                self._log.error("access: %s", problem)

    def _signature(self) -> Signature:
        try:
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return "gone"
        except OSError as error:
            return f"error {error.errno}"
        return found.st_ino, found.st_mtime_ns, found.st_size, found.st_ctime_ns


class AccessLists:
    """wlist and blist of a hub."""

    def __init__(self, folder: Path, keep: Path, log: logging.Logger) -> None:
        """Read both.

        :param keep: the folder of last good states.
        """
        self._wlist = ListFile(folder / "wlist", keep / "wlist", log, EMPTY_SETTLE_S)
        self._blist = ListFile(folder / "blist", keep / "blist", log)
        self.version = 0
        """Grows with each change of a list."""

    def look(self) -> None:
        """Take in what has changed; two calls of stat when nothing has."""
        for file in (self._wlist, self._blist):
            if file.look():
                self.version += 1

    @property
    def wlist(self) -> Entries:
        """Those let in."""
        return self._wlist.entries

    @property
    def blist(self) -> Entries:
        """Those kept out."""
        return self._blist.entries

    @property
    def problems(self) -> list[str]:
        """What the administrator must know and do."""
        return [file.problem for file in (self._wlist, self._blist) if file.problem]

    def welcome(self, line: str) -> bool:
        """Add a line to wlist; False when it is being written, so that it must be tried again.

        Raises OSError or BrokenListError when it cannot be done.
        """
        return self._wlist.append(line)


def read_list(data: bytes, name: str) -> Entries:
    """The list that a file of this name holds. Raises BrokenListError when it is not UTF-8 text."""
    return read_entries(split_lines(_text(data, name)), name, bans=name == "blist")


def _age_s(signature: Signature) -> float:
    """Seconds since a file was written, 0 if that lies in the future or is not known."""
    if isinstance(signature, str):
        return 0.0
    return max(0.0, time.time() - signature[1] / 1e9)


def _read(path: Path) -> bytes:
    """A regular file's bytes. Raises OSError, or BrokenListError when it is none or too large."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - of flags
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise BrokenListError("is not a file but a folder, pipe or device")
        data = file.read(LONGEST_LIST_BYTES + 1)
    if len(data) > LONGEST_LIST_BYTES:
        raise BrokenListError(f"is larger than {LONGEST_LIST_BYTES >> 20} MB")
    return data


def _text(data: bytes, name: str) -> str:
    """What the bytes say. Raises BrokenListError when they are not UTF-8 text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenListError(f"is not UTF-8 text (byte {error.start}); save {name} as UTF-8") from error
    if "\0" in text:
        raise BrokenListError("holds NUL bytes, as a file does that was cut off by a crash or a full disk")
    return text


def _words(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
