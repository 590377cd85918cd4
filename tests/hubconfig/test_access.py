"""The decision who gets in, against the sentences of docs/access.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubconfig.access.lists import read_list
from hubconfig.access.rules import (
    Entries,
    Mode,
    Person,
    Reason,
    Rules,
    decide,
    may_see,
    read_entries,
)
from hubconfig.names import safe_name

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)

# The oracle. It is written from docs/access.md and the modes' descriptions, knows nothing of
# text, and goes by what the administrator meant with each line.


@dataclass(frozen=True)
class Meant:
    """A line of a list, as meant."""

    kind: Literal["name", "org", "team", "mistake"]
    word: str
    id: str | None = None


def _means(line: Meant, person: Person) -> bool:
    if line.kind == "org":
        return line.word in person.orgs
    if line.kind == "team":
        return line.word in person.teams
    return line.kind == "name" and line.word == person.name.lower() and line.id in (None, person.id)


def _bans(line: Meant, person: Person) -> bool:
    if line.kind != "name":
        return _means(line, person)
    formerly = line.id is None and line.word in person.other_users
    return line.word == person.name.lower() or (line.id is not None and line.id == person.id) or formerly


@dataclass(frozen=True)
class Lists:
    """What the administrator wrote, as meant."""

    admins: list[Meant]
    env_whitelist: list[Meant]
    wlist: list[Meant]
    blist: list[Meant]


def oracle(person: Person, lists: Lists, mode: Mode, open_until: datetime | None) -> bool:
    # "The black list wins all the time: any user from the black list is denied access no matter what."
    blacklisted = any(_bans(line, person) for line in lists.blist)
    return not (blacklisted or _is_another(person, lists)) and (
        any(_means(line, person) for line in lists.admins)
        or (open_until is not None and open_until > NOW)
        or mode == "open"
        or (mode != "closed" and _whitelisted(person, lists, mode))
    )


def _is_another(person: Person, lists: Lists) -> bool:
    welcome = {(line.word, line.id) for line in [*lists.admins, *lists.env_whitelist, *lists.wlist]}
    known_otherwise = person.pinned_id and person.id and person.pinned_id != person.id
    return bool(known_otherwise) and (person.name.lower(), person.id) not in welcome


def _whitelisted(person: Person, lists: Lists, mode: Mode) -> bool:
    # "If the wlist and/or the whitelist environment variable is not empty, then only the whitelisted
    # users will be allowed to log in."
    if lists.env_whitelist or lists.wlist or mode == "listed":
        return any(_means(line, person) for line in [*lists.env_whitelist, *lists.wlist])
    # "If the wlist, blist and the whitelist environment variable are empty, then all the github users
    # are allowed to log in."
    return True


NAMES = ["ada", "bob", "carol-1", "d"]
ORGS = ["uvic", "acme-labs"]
TEAMS = ["uvic/stars", "acme-labs/night.shift"]
IDS = ["1", "2", "30"]

meant = st.one_of(
    st.builds(Meant, st.just("name"), st.sampled_from(NAMES), st.sampled_from([None, None, *IDS])),
    st.builds(Meant, st.just("org"), st.sampled_from(ORGS)),
    st.builds(Meant, st.just("team"), st.sampled_from(TEAMS)),
    st.builds(
        Meant, st.just("mistake"), st.sampled_from(["a b", "ada bob", "team:uvic", "x:y", ":7", "1:2:3"])
    ),
)
people = st.builds(
    Person,
    name=st.sampled_from([*NAMES, "ADA", "Bob"]),
    id=st.sampled_from([None, *IDS]),
    orgs=st.frozensets(st.sampled_from(ORGS)),
    teams=st.frozensets(st.sampled_from(TEAMS)),
    pinned_id=st.sampled_from([None, None, *IDS]),
    other_users=st.frozensets(st.sampled_from(NAMES), max_size=1),
)
spaces = st.sampled_from(["", " ", "\t", "  ", "\u00a0"])


@st.composite
def written(draw: st.DrawFn, lines: Sequence[Meant]) -> str:
    """The lines as somebody might type them."""
    texts = []
    for line in lines:
        text = line.word if line.kind in ("name", "mistake") else f"{line.kind}:{line.word}"
        if line.id:
            text += draw(spaces) + ":" + draw(spaces) + draw(st.sampled_from(["", "00"])) + line.id
        if draw(st.booleans()) and line.kind != "mistake":
            text = text.upper()
        comment = draw(st.sampled_from(["", "", "# a comment", " # bob"]))
        texts.append(draw(spaces) + text + draw(spaces) + comment)
        texts.extend(draw(st.lists(st.sampled_from(["", "   ", "# ada", "\u200b"]), max_size=1)))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return mark + draw(st.sampled_from(["\n", "\r\n", "\r"])).join(texts)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_the_decision_is_what_the_lists_say(data: st.DataObject) -> None:
    lists = Lists(*(data.draw(st.lists(meant, max_size=3)) for _ in range(4)))

    def read(lines: list[Meant]) -> Entries:
        return read_list(data.draw(written(lines)).encode(), "list")

    person = data.draw(people)
    mode: Mode = data.draw(st.sampled_from(["auto", "open", "listed", "closed"]))
    until = data.draw(st.sampled_from([None, NOW + timedelta(seconds=1), NOW]))
    rules = Rules(
        read(lists.admins), read(lists.env_whitelist), read(lists.wlist), read(lists.blist), mode, until
    )
    assert decide(person, rules, NOW).allowed == oracle(person, lists, mode, until)


def entries(*lines: str) -> Entries:
    return read_entries(lines, "list")


def allowed(person: Person, rules: Rules) -> bool:
    return decide(person, rules, NOW).allowed


ADA = Person("Ada", "12")


def test_everybody_gets_in_while_all_lists_are_empty() -> None:
    assert decide(ADA, Rules(), NOW).reason is Reason.NO_LIST


@pytest.mark.parametrize("rules", [Rules(allow=read_entries(["bob"], "allow")),
                                   Rules(wlist=read_entries(["bob"], "wlist"))])  # fmt: skip
def test_one_entry_in_either_list_closes_the_hub_to_all_others(rules: Rules) -> None:
    assert allowed(Person("bob", "1"), rules)
    assert not allowed(ADA, rules)


def test_an_admin_gets_in_without_being_on_any_list() -> None:
    decision = decide(ADA, Rules(admins=entries("ada"), wlist=entries("bob")), NOW)
    assert decision.allowed
    assert decision.admin


def test_the_black_list_wins_over_admins_and_everything_else() -> None:
    everything = entries("ada")
    rules = Rules(everything, everything, everything, everything, "open", NOW + timedelta(days=1))
    assert decide(ADA, rules, NOW) == decide(ADA, Rules(blist=everything), NOW)
    assert not allowed(ADA, rules)


def test_a_list_of_nothing_but_mistakes_does_not_open_the_hub() -> None:
    rules = Rules(wlist=entries("ada bob"))
    assert rules.wlist.faults
    assert not allowed(ADA, rules)


def test_a_mistake_in_the_black_list_leaves_its_other_lines_in_force() -> None:
    assert not allowed(ADA, Rules(blist=entries("x y z", "ada")))


def test_an_account_that_took_over_a_freed_name_does_not_pass_for_its_former_owner() -> None:
    rules = Rules(admins=entries("ada:12"), wlist=entries("ada:12"))
    assert decide(ADA, rules, NOW).admin
    assert not allowed(Person("ada", "99"), rules)


def test_a_name_that_first_belonged_to_another_id_is_refused_until_the_new_id_is_listed() -> None:
    newcomer = Person("ada", "99", pinned_id="12")
    assert decide(newcomer, Rules(), NOW).reason is Reason.OTHER_ID
    assert decide(newcomer, Rules(wlist=entries("ada")), NOW).reason is Reason.OTHER_ID
    assert allowed(newcomer, Rules(wlist=entries("ada:99")))
    assert not allowed(newcomer, Rules(wlist=entries("ada:99"), blist=entries("ada:99")))


@pytest.mark.parametrize("line", ["ada", "ada:12", "somebody:12"])
def test_a_banned_person_stays_out_under_another_name(line: str) -> None:
    renamed = Person("lovelace", "12", other_users=frozenset({"ada"}))
    assert not allowed(renamed, Rules(blist=entries(line)))


def test_banning_the_new_owner_of_a_name_does_not_ban_the_former_one() -> None:
    assert allowed(Person("lovelace", "12", other_users=frozenset({"ada"})), Rules(blist=entries("ada:99")))


def test_a_black_list_that_was_never_readable_lets_only_admins_in() -> None:
    rules = Rules(admins=entries("ada"), blist=Entries(given=True, unknown=True), mode="open")
    assert allowed(ADA, rules)
    assert decide(Person("bob", "1"), rules, NOW).reason is Reason.BANS_UNKNOWN


def test_organisation_and_team_let_their_members_in() -> None:
    rules = Rules(wlist=entries("org:UVic", "team:acme/Stars"))
    member = decide(Person("x", "1", orgs=frozenset({"uvic"})), rules, NOW)
    assert member.allowed
    assert member.by_group
    assert allowed(Person("x", "1", teams=frozenset({"acme/stars"})), rules)
    assert not allowed(Person("x", "1", orgs=frozenset({"acme"}), teams=frozenset({"uvic/stars"})), rules)


def test_a_member_who_is_also_named_needs_no_membership() -> None:
    rules = Rules(wlist=entries("org:uvic", "ada"))
    assert not decide(Person("ada", "1", orgs=frozenset({"uvic"})), rules, NOW).by_group


def test_the_window_ends_at_its_second() -> None:
    rules = Rules(mode="listed", open_until=NOW)
    assert decide(ADA, rules, NOW - timedelta(seconds=1)).reason is Reason.WINDOW
    assert decide(ADA, rules, NOW).reason is Reason.NOT_LISTED


def test_a_closed_hub_lets_admins_in_and_nobody_on_a_list() -> None:
    rules = Rules(admins=entries("ada"), wlist=entries("bob"), mode="closed")
    assert allowed(ADA, rules)
    assert decide(Person("bob"), rules, NOW).reason is Reason.CLOSED


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("ada@uvic.ca", "Ada@uvic.ca"),
        (safe_name("ada@uvic.ca"), "ada@uvic.ca"),
        ("Ärger", "ärger"),
        ("@ada", "ada"),
        ("a\u200bda", "ada"),
    ],
)
def test_a_line_may_hold_the_provider_s_name_or_the_hub_s_form_of_it(line: str, name: str) -> None:
    assert allowed(Person(name), Rules(wlist=entries(line)))


@pytest.mark.parametrize("name", ["\u017fam", "\u212aate", safe_name("ada@uvic.ca")])
def test_a_name_that_only_looks_like_a_listed_one_is_another(name: str) -> None:
    assert not allowed(Person(name), Rules(wlist=entries("sam", "kate", "ada@uvic.ca")))


def test_where_somebody_is_listed_is_told() -> None:
    assert str(decide(ADA, Rules(wlist=read_entries(["#", "ada"], "wlist")), NOW)) == "listed (wlist line 2)"


@pytest.mark.parametrize(
    ("who", "sees"),
    [((), True), (("ada",), True), (("org:uvic",), True), (("admins",), False), (("bob", "admins"), False)],
)
def test_a_menu_entry_is_shown_to_whom_it_names(who: tuple[str, ...], sees: bool) -> None:
    member = Person("ada", "12", orgs=frozenset({"uvic"}))
    assert may_see(who, member, admin=False) is sees
    assert may_see(who, member, admin=True)
