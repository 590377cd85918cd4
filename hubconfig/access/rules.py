"""Who gets in: access lists and the one decision over them. Pure: reads no file and no clock."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Literal

from hubconfig.access.entries import ENTRY, understood, visible
from hubconfig.names import TAGGED_NAME, safe_name

Mode = Literal["auto", "open", "listed", "closed"]

_LINE_ENDS = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Person:
    """Somebody whom the sign-in provider has named."""

    name: str
    """The name as the provider spells it."""
    id: str | None = None
    """The provider's own, unchanging id; None where it has none (a shared password)."""
    orgs: frozenset[str] = frozenset()
    """GitHub organisations, lower case."""
    teams: frozenset[str] = frozenset()
    """GitHub teams as `org/team`, lower case."""
    pinned_id: str | None = None
    """The id that first signed in by this name."""
    other_users: frozenset[str] = frozenset()
    """Further user names under which the same id has signed in."""

    @property
    def user(self) -> str:
        """The name that the hub, the container and the home folder have."""
        return safe_name(self.name)


class Reason(Enum):
    """What a decision was made by."""

    BANNED = "banned"
    BANS_UNKNOWN = "the ban list cannot be read"
    OTHER_ID = "another account had this name"
    ADMIN = "admin"
    WINDOW = "open until a time"
    CLOSED = "closed"
    OPEN = "open"
    LISTED = "listed"
    NO_LIST = "no list"
    NOT_LISTED = "not listed"


@dataclass(frozen=True)
class Decision:
    """Whether somebody may be in the hub."""

    allowed: bool
    reason: Reason
    place: str = ""
    """The line that decided, such as `blist line 3`; empty if none did."""
    admin: bool = False
    """Whether the person is one of the hub's admins."""
    by_group: bool = False
    """Whether it holds only as long as an organisation or team keeps its members."""

    def __str__(self) -> str:
        """The reason, for the administrator's log."""
        return f"{self.reason.value} ({self.place})" if self.place else self.reason.value


@dataclass(frozen=True)
class _ListedPerson:
    """One entry that names a person."""

    id: str | None
    place: str


@dataclass(frozen=True)
class Entries:
    """An access list, ready to be asked."""

    people: Mapping[str, tuple[_ListedPerson, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """User name to what is written of it."""
    ids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Provider's id to the place where it is written."""
    orgs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    teams: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    faults: tuple[str, ...] = ()
    """Places that are not understood, with their text."""
    given: bool = False
    """Whether anything is written at all, understood or not: a list of mistakes is not an empty list."""
    unknown: bool = False
    """Whether the list exists but has never been readable."""

    @property
    def size(self) -> int:
        """How many entries there are."""
        return sum(map(len, self.people.values())) + len(self.orgs) + len(self.teams)

    def naming(self, person: Person) -> str:
        """Where the person is let in by name, or by name and id; empty if nowhere."""
        for listed in self.people.get(person.user, ()):
            if listed.id is None or listed.id == person.id:
                return listed.place
        return ""

    def naming_id(self, person: Person) -> bool:
        """Whether name and id together are written."""
        return person.id is not None and any(
            listed.id == person.id for listed in self.people.get(person.user, ())
        )

    def grouping(self, person: Person) -> str:
        """Where one of the person's organisations or teams is written; empty if nowhere."""
        for groups, mine in ((self.orgs, person.orgs), (self.teams, person.teams)):
            for group in sorted(mine & groups.keys()):
                return groups[group]
        return ""

    def banning(self, person: Person) -> str:
        """Where the person is kept out: by id, name, a former name or a group; empty if nowhere.

        A former name counts only where it stands without an id: with one it means whoever has it now.
        """
        if person.id is not None and person.id in self.ids:
            return self.ids[person.id]
        for listed in self.people.get(person.user, ()):
            return listed.place
        for user in sorted(person.other_users):
            for listed in self.people.get(user, ()):
                if listed.id is None:
                    return listed.place
        return self.grouping(person)


def read_entries(lines: Iterable[str], where: str, *, bans: bool = False) -> Entries:
    """An access list from its lines. Never raises: what is not understood is in `faults`.

    A line holds `name`, `name:id`, `org:NAME` or `team:ORG/TEAM`, in any case, with spaces around, or
    several of them as `understood` tells; `#` begins a comment.
    :param bans: whether the list keeps people out: then what could be a name counts beside its fault.
    """
    people: dict[str, tuple[_ListedPerson, ...]] = {}
    ids: dict[str, str] = {}
    orgs: dict[str, str] = {}
    teams: dict[str, str] = {}
    faults: list[str] = []
    given = False
    for number, line in enumerate(lines, 1):
        text = visible(line.partition("#")[0])
        if not text:
            continue
        given = True
        place = f"{where} line {number}"
        found = understood(text)
        if found.fault:
            faults.append(f"{place}: {shown(text)}")
        for word in (*found.entries, *(found.perhaps if bans else ())):
            match = ENTRY.fullmatch(word)
            if match is None:
                user = listed_user(word.removeprefix("@"))
                people[user] = (*people.get(user, ()), _ListedPerson(None, place))
            elif org := match["org"]:
                orgs.setdefault(org.lower(), place)
            elif team := match["team"]:
                teams.setdefault(team.lower(), place)
            else:
                user = listed_user(match["name"])
                number_id = match["id"] and (match["id"].lstrip("0") or "0")
                people[user] = (*people.get(user, ()), _ListedPerson(number_id, place))
                if number_id:
                    ids.setdefault(number_id, place)
    return Entries(people, ids, orgs, teams, tuple(faults), given)


def split_lines(text: str) -> list[str]:
    """Lines that end as on Linux, Windows or an old Mac."""
    return _LINE_ENDS.split(text)


def listed_user(name: str) -> str:
    """The user name that an entry means: a provider's name, or the hub's own form of one."""
    folded = name.lower()
    return folded if TAGGED_NAME.fullmatch(folded) else safe_name(name)


def shown(text: str) -> str:
    """Somebody's words, safe in a log line: ASCII, no control characters, at most 80 characters."""
    plain = text if len(text) <= 80 else f"{text[:77]}..."
    return "".join(
        sign if " " <= sign <= "~" else sign.encode("unicode_escape", "backslashreplace").decode()
        for sign in plain
    )


@dataclass(frozen=True)
class Rules:
    """All that a decision goes by, besides the person."""

    admins: Entries = Entries()
    allow: Entries = Entries()
    wlist: Entries = Entries()
    blist: Entries = Entries()
    mode: Mode = "auto"
    open_until: datetime | None = None

    def window_open(self, now: datetime) -> bool:
        """Whether the hub is open to everybody for a while."""
        return self.open_until is not None and now < self.open_until

    @property
    def anybody(self) -> bool:
        """Whether everybody with an account gets in because no list says who."""
        return self.mode == "auto" and not (self.allow.given or self.wlist.given)

    @property
    def by_group(self) -> bool:
        """Whether organisations or teams matter."""
        return any(
            entries.orgs or entries.teams for entries in (self.admins, self.allow, self.wlist, self.blist)
        )


def decide(person: Person, rules: Rules, now: datetime) -> Decision:
    """Whether this person may be in the hub now.

    blist wins always, over admins too. Admins get in whatever the mode. With mode `auto`
    everybody gets in while the allow list of the settings and wlist are both empty; as soon as either
    holds anything, only those listed.
    """
    if place := rules.blist.banning(person):
        return Decision(allowed=False, reason=Reason.BANNED, place=place)
    if _is_another(person) and not any(
        entries.naming_id(person) for entries in (rules.admins, rules.allow, rules.wlist)
    ):
        return Decision(allowed=False, reason=Reason.OTHER_ID)
    return _as_admin(person, rules.admins) or _as_visitor(person, rules, now)


def _as_admin(person: Person, admins: Entries) -> Decision | None:
    if place := admins.naming(person):
        return Decision(allowed=True, reason=Reason.ADMIN, place=place, admin=True)
    if place := admins.grouping(person):
        return Decision(allowed=True, reason=Reason.ADMIN, place=place, admin=True, by_group=True)
    return None


def _as_visitor(person: Person, rules: Rules, now: datetime) -> Decision:
    if rules.blist.unknown:
        return Decision(allowed=False, reason=Reason.BANS_UNKNOWN)
    if rules.window_open(now):
        return Decision(allowed=True, reason=Reason.WINDOW)
    if rules.mode == "closed":
        return Decision(allowed=False, reason=Reason.CLOSED)
    if rules.mode == "open":
        return Decision(allowed=True, reason=Reason.OPEN)
    return _by_lists(person, rules)


def _by_lists(person: Person, rules: Rules) -> Decision:
    for entries in (rules.allow, rules.wlist):
        if place := entries.naming(person):
            return Decision(allowed=True, reason=Reason.LISTED, place=place)
    for entries in (rules.allow, rules.wlist):
        if place := entries.grouping(person):
            return Decision(allowed=True, reason=Reason.LISTED, place=place, by_group=True)
    if rules.anybody:
        return Decision(allowed=True, reason=Reason.NO_LIST)
    return Decision(allowed=False, reason=Reason.NOT_LISTED)


def may_see(who: Collection[str], person: Person, *, admin: bool) -> bool:
    """Whether `who` of a menu entry names the person; an empty one names everybody, admins see all."""
    if admin or not who:
        return True
    entries = read_entries((word for word in who if word != "admins"), "who")
    return bool(entries.naming(person) or entries.grouping(person))


def _is_another(person: Person) -> bool:
    return None not in (person.id, person.pinned_id) and person.id != person.pinned_id
