"""What the backup writes down in its own folder: how the last one ended, and whose backups these are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_AGAIN_MINUTES = 15
"""After which one that failed is tried again."""

_MESSAGE = 300
"""The most characters of a message that `status` prints."""


@dataclass(frozen=True)
class Notes:
    """The files in the backup's folder."""

    folder: Path

    @property
    def last(self) -> Path:
        """How the last backup ended; `status` reads it."""
        return self.folder / "last.json"

    @property
    def joined(self) -> Path:
        """Name and id of the repository that holds this volume's backups.

        It tells a volume that is new from one whose repository is lost.
        """
        return self.folder / "joined"

    @property
    def lock(self) -> Path:
        """Held by whoever makes or puts back a backup."""
        return self.folder / "lock"

    def note(self, *, ok: bool, made: bool, message: str, warning: str, every_hours: int) -> None:
        """Write down how a backup ended.

        :param ok: whether all went well.
        :param made: whether there is a new snapshot.
        :param warning: what somebody should look at, though all went well.
        """
        known = {
            "finished": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "ok": ok,
            "made": made,
            "everyHours": every_hours,
            "message": message[:_MESSAGE],
            "warning": warning[:_MESSAGE],
        }
        _replace(self.last, json.dumps(known))

    def is_due(self, now: float, every_hours: int, *, new: bool) -> bool:
        """Whether it is time for a backup: see `due`."""
        try:
            text, written = self.last.read_text(), self.last.stat().st_mtime
        except FileNotFoundError:
            return True
        try:
            made = json.loads(text).get("made") is True
        except (ValueError, AttributeError):
            made = False  # a machine that lost power left half of it
        return due(now - written, every_hours, made=made, new=new)

    def belongs_to(self) -> str | None:
        """The name of the repository that holds this volume's backups."""
        return self._joined()[0] if self.joined.exists() else None

    def is_joined(self, repository: str, identity: str) -> bool:
        """Whether it is this repository that holds this volume's backups."""
        return self.joined.exists() and self._joined() == [repository, identity]

    def join(self, repository: str, identity: str) -> None:
        """From now on this repository holds this volume's backups."""
        _replace(self.joined, f"{repository}\n{identity}\n")

    def _joined(self) -> list[str]:
        return self.joined.read_text().splitlines() or [""]


def due(age_seconds: float, every_hours: int, *, made: bool, new: bool) -> bool:
    """Whether it is time for a backup.

    One that failed is tried again soon, or at once when this container is new and may have been told
    something better.

    :param age_seconds: since the last one ended.
    :param made: whether that one made a snapshot.
    """
    if not made and new:
        return True
    return age_seconds > 60 * (60 * every_hours if made else _AGAIN_MINUTES)


def _replace(file: Path, text: str) -> None:
    new = file.with_name(f"{file.name}.new")
    new.write_text(text)
    new.replace(file)
