"""Lists as people paste them: understood where there is one meaning, else told by line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubconfig.access.entries import ENTRY, understood
from hubconfig.access.lists import read_list
from hubconfig.access.rules import Person, Rules, decide, read_entries
from tests.hubconfig.test_access import NOW

UNDERSTOOD = {
    "ada,": ["ada"],
    '"bob"': ["bob"],
    "'bob',": ["bob"],
    "“bob”": ["bob"],
    "github.com/carol": ["carol"],
    "https://github.com/carol/": ["carol"],
    "https://www.github.com/carol?tab=repositories": ["carol"],
    "https://github.com/orgs/uvic/people": ["org:uvic"],
    "https://github.com/orgs/acme/teams/stars": ["team:acme/stars"],
    "dave;": ["dave"],
    "erin,frank": ["erin", "frank"],
    "erin; frank ; @gil": ["erin", "frank", "@gil"],
    "ada:12, bob : 13": ["ada:12", "bob:13"],
    "<x@y.org>": ["x@y.org"],
    "Ada Lovelace <ada@uvic.ca>": ["ada@uvic.ca"],
    '"Lovelace, Ada" <ada@uvic.ca>, Bob <bob@uvic.ca>;': ["ada@uvic.ca", "bob@uvic.ca"],
    "mailto:ada@uvic.ca": ["ada@uvic.ca"],
    "- ada": ["ada"],
    "* ada": ["ada"],
    "12) ada": ["ada"],
    "{'ada', 'bob'}": ["ada", "bob"],
    '["ada", "org:uvic"],': ["ada", "org:uvic"],
    "{": [],
    "},": [],
    "-dash": ["-dash"],
    "o'brien@uvic.ca": ["o'brien@uvic.ca"],
}

NOT_UNDERSTOOD = [
    "*", "a*", "bob=2", "ada admin", "ada,admin", "ada\tbob", "login,email", "ada,ada@uvic.ca", "ada,12",
    "admins = {'ada'}", "gitlab.com/carol", "github.com/carol/repository", "https://evil.org/github.com/x",
    "acme/stars", "Ada <ada@uvic.ca> (away)", "<>", "<ada", ",", "team:uvic", "x:y",
    "Ada Lovelace", "**ada**",
]  # fmt: skip


@pytest.mark.parametrize("line", UNDERSTOOD)
def test_what_has_one_meaning_is_understood(line: str) -> None:
    found = understood(line)
    assert list(found.entries) == UNDERSTOOD[line]
    assert not found.fault
    assert read_entries([line], "wlist").given


@pytest.mark.parametrize("line", NOT_UNDERSTOOD)
def test_what_has_no_certain_meaning_is_told_by_line_and_lets_nobody_in(line: str) -> None:
    found = read_entries(["", line], "wlist")
    assert found.given
    assert found.size == 0
    assert found.faults[0].startswith("wlist line 2: ")


@pytest.mark.parametrize("line", ["ada,Ada Lovelace", "ada,ada@uvic.ca", "ada,12", "ada,admin"])
def test_a_ban_holds_for_the_names_in_a_line_that_is_not_understood(line: str) -> None:
    blist = read_list(line.encode(), "blist")
    assert blist.faults
    assert not decide(Person("ada", "7"), Rules(blist=blist), NOW).allowed


@pytest.mark.parametrize("name", ["bob=2", "a/b", "x*"])
def test_a_ban_of_a_name_with_an_odd_sign_is_told_and_holds(name: str) -> None:
    blist = read_list(name.encode(), "blist")
    assert blist.faults
    assert not decide(Person(name), Rules(blist=blist), NOW).allowed


@settings(max_examples=3000, deadline=None)
@given(st.text(st.sampled_from(" ,;'\"<>{}[]()@:/.-*#=ab1\t\u201c\u200b") | st.characters(), max_size=40))
def test_any_line_gives_entries_or_a_fault_and_never_an_error(line: str) -> None:
    found = understood(line)
    assert all(ENTRY.fullmatch(entry) for entry in found.entries)
    assert not (found.fault and found.entries)
    wlist, blist = read_entries([line], "wlist"), read_entries([line], "blist", bans=True)
    assert set(wlist.people) <= set(blist.people)
