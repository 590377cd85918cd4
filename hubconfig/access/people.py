"""Who has signed in before: the provider's id of each name, and what else a later decision needs."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field, ValidationError

from hubconfig.access.lists import SETTLE_S
from hubconfig.access.rules import Person
from hubconfig.section import Section


class _Known(Section):
    """What one line of the file holds."""

    user: str
    name: str = Field(pattern=r"\S")
    id: str | None = None
    orgs: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Line:
    """One line of the file: a person, or words that are kept as they are."""

    text: str
    person: Person | None


class People:
    """The file of known people: one line of JSON each, of which an administrator may delete any.

    Deleting a line lets the next account of that name in as if it were the first.
    """

    def __init__(self, path: Path, log: logging.Logger) -> None:
        """Read the file if it is there."""
        self.path = path
        self._log = log
        self._stamp: tuple[int, int, int] | None = None
        self._lines: dict[str, _Line] = {}
        self._users_of: dict[str, frozenset[str]] = {}
        self._look()

    def get(self, user: str) -> Person | None:
        """The person who signs in to this user name, or None if nobody has yet."""
        self._look()
        known = self._known(user)
        return self._placed(known, known.id) if known else None

    def arriving(self, person: Person) -> Person:
        """Somebody whom the provider has just named, with what is known from before."""
        self._look()
        known = self._known(person.user)
        return self._placed(person, (known.id if known else None) or person.id)

    def remember(self, person: Person) -> None:
        """Keep a person whom the hub has let in."""
        self._look()
        line = _Line(_as_json(person), person)
        known = self._lines.get(person.user)
        if known and known.text == line.text:
            return
        self._lines[person.user] = line
        self._index()
        self._write()

    def _known(self, user: str) -> Person | None:
        line = self._lines.get(user)
        return line.person if line else None

    def _placed(self, person: Person, pinned_id: str | None) -> Person:
        same_id = self._users_of.get(person.id or "", frozenset())
        return replace(person, pinned_id=pinned_id, other_users=same_id - {person.user})

    def _look(self) -> None:
        try:
            found = self.path.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp == self._stamp or (self._stamp and 0 <= time.time() - found.st_mtime < SETTLE_S):
                return
            text = self.path.read_text("utf-8", "replace")
        except FileNotFoundError:
            # Never written yet, or gone by mishap: those known stay known, and are written again.
            return
        except OSError as error:
            self._log.error("access: %s cannot be read (%s); those known stay known", self.path, error)
            return
        self._stamp = stamp
        self._lines = {}
        for number, words in enumerate(text.splitlines(), 1):
            person = _from_json(words)
            if person is None and words.strip():
                self._log.error("access: %s line %d is not understood and left alone", self.path, number)
            self._lines[person.user if person else f"line {number}"] = _Line(words, person)
        self._index()

    def _index(self) -> None:
        self._users_of = {}
        for user, line in self._lines.items():
            if line.person and line.person.id:
                others = self._users_of.get(line.person.id, frozenset())
                self._users_of[line.person.id] = others | {user}

    def _write(self) -> None:
        beside = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(
                beside, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)
            ) as file:
                file.writelines(f"{line.text}\n" for line in self._lines.values())
            found = beside.stat()
            beside.replace(self.path)
        except OSError as error:
            self._log.error(
                "access: %s cannot be written (%s); until it can, a restart of the hub forgets whom it met",
                self.path,
                error,
            )
            return
        self._stamp = (found.st_ino, found.st_mtime_ns, found.st_size)


def _as_json(person: Person) -> str:
    return _Known(
        user=person.user,
        name=person.name,
        id=person.id,
        orgs=tuple(sorted(person.orgs)),
        teams=tuple(sorted(person.teams)),
    ).model_dump_json(exclude_defaults=True)


def _from_json(words: str) -> Person | None:
    try:
        known = _Known.model_validate_json(words)
    except ValidationError:
        return None
    return Person(known.name, known.id, frozenset(known.orgs), frozenset(known.teams))
