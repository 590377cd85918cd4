"""The hub's gate: settings, list files, known people and the clock, brought to one decision."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hubconfig.access.lists import AccessLists, BrokenListError
from hubconfig.access.people import People
from hubconfig.access.rules import (
    Decision,
    Entries,
    Person,
    Reason,
    Rules,
    decide,
    may_see,
    read_entries,
    shown,
)
from hubconfig.container import ACCESS, STATE
from hubconfig.options import HubOptions


@dataclass(frozen=True)
class Folders:
    """Where the gate finds its files, as the hub sees them."""

    access: Path = Path(ACCESS)
    """Holds wlist and blist; the administrator writes there."""
    state: Path = Path(STATE)
    """The hub's own memory; kept on the data volume."""


class Gate:
    """Decides, remembers and writes down why."""

    def __init__(
        self,
        options: HubOptions,
        folders: Folders,
        log: logging.Logger,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Read the lists and the known people."""
        self._access = options.access
        self._admins = read_entries(options.admins, "admins")
        self._allow = read_entries(options.access.allow, "access.allow")
        self._menu_groups = any(
            entries.orgs or entries.teams
            for entries in (read_entries(entry.who, "who") for entry in options.menu)
        )
        self._log = log
        self._now = now
        self._lists = AccessLists(folders.access, folders.state / "access", log)
        self.people = People(folders.state / "people.jsonl", log)
        self.out: set[str] = set()
        """Users whose sessions have been ended, and who have not been let in since."""
        self._rules = self._build_rules()
        self._version = self._lists.version
        self._said: dict[str, Decision] = {}
        self._welcomed: set[str] = set()
        self._visitor_problem = ""
        self._say_if_open_to_all()

    @property
    def rules(self) -> Rules:
        """What decisions go by at this moment."""
        self._lists.look()
        if self._version != self._lists.version:
            was_open = self._rules.anybody
            self._version = self._lists.version
            self._rules = self._build_rules()
            if not was_open:
                self._say_if_open_to_all()
        return self._rules

    @property
    def state(self) -> tuple[int, bool]:
        """Something that differs whenever decisions may."""
        rules = self.rules
        return self._version, rules.window_open(self._now())

    @property
    def wants_groups(self) -> bool:
        """Whether organisations or teams decide anything: who gets in, or what the menu shows."""
        return self._menu_groups or self.rules.by_group

    @property
    def problems(self) -> list[str]:
        """What the administrator must know and do about the lists."""
        return [*self._lists.problems, *filter(None, [self._visitor_problem])]

    @property
    def admins(self) -> Entries:
        """Those whom the settings name as admins."""
        return self._admins

    def person(self, user: str) -> Person:
        """Who has this user name; somebody who never signed in is known by the name alone."""
        return self.people.get(user) or Person(user)

    def decide(self, person: Person) -> Decision:
        """Whether the person may be in the hub now; a new answer is written to the log."""
        decision = decide(person, self.rules, self._now())
        if self._said.get(person.user) != decision:
            self._said[person.user] = decision
            self._write_down(person, decision)
        if decision.reason is Reason.WINDOW:
            self._keep_visitor(person)
        return decision

    def allows(self, person: Person) -> bool:
        """Whether the person may be in the hub now, without a word to the log."""
        return decide(person, self.rules, self._now()).allowed

    def has_met(self, user: str) -> bool:
        """Whether somebody has signed in or shown a page since the hub started."""
        return user in self._said

    def arrive(self, person: Person) -> Decision:
        """The decision at a sign-in, which is always written to the log; one let in is remembered."""
        self._said.pop(person.user, None)
        decision = self.decide(person)
        if decision.allowed:
            self.out.discard(person.user)
            self.people.remember(person)
        return decision

    def may_see(self, user: str, who: Collection[str]) -> bool:
        """Whether a menu entry with this `who` is for the user."""
        person = self.person(user)
        admin = decide(person, self.rules, self._now()).admin
        return may_see(who, person, admin=admin)

    def _build_rules(self) -> Rules:
        return Rules(
            admins=self._admins,
            allow=self._allow,
            wlist=self._lists.wlist,
            blist=self._lists.blist,
            mode=self._access.mode,
            open_until=self._access.open_until,
        )

    def _write_down(self, person: Person, decision: Decision) -> None:
        who = shown(person.name) + (f" (id {shown(person.id)})" if person.id else "")
        if decision.allowed:
            self._log.info("access: allowed %s: %s", who, decision)
        elif decision.reason is Reason.OTHER_ID:
            self._log.warning(
                "access: denied %s: id %s signed in by this name before. If it is the same person, "
                "write %s:%s into wlist, or delete the line of %s in %s",
                who,
                shown(person.pinned_id or ""),
                shown(person.name),
                shown(person.id or ""),
                person.user,
                self.people.path,
            )
        else:
            self._log.warning("access: denied %s: %s", who, decision)

    def _say_if_open_to_all(self) -> None:
        if self._rules.anybody:
            self._log.warning(
                "access: access.allow and wlist are empty: everybody with an account gets in, but for blist. "
                "Set access.mode to listed if that is not meant"
            )

    def _keep_visitor(self, person: Person) -> None:
        if not self._access.keep_visitors or person.user in self._welcomed:
            return
        rules = self.rules
        if not (rules.allow.naming(person) or rules.wlist.naming(person)):
            try:
                if not self._lists.welcome(_as_line(person, self._now())):
                    return
            except (OSError, BrokenListError) as error:
                problem = f"visitors cannot be written into wlist: {error}"
                if problem != self._visitor_problem:
                    self._log.error("access: %s", problem)
                self._visitor_problem = problem
                return
            self._log.info("access: %s written into wlist", shown(person.name))
        self._visitor_problem = ""
        self._welcomed.add(person.user)


def _as_line(person: Person, now: datetime) -> str:
    """The person as a line of wlist."""
    name = f"{person.user}:{person.id}" if person.id and _number(person.id) else person.user
    return f"{name}  # came {now:%Y-%m-%d %H:%M} UTC"


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit()
