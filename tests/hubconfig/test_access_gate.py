"""What the gate remembers of people, and what it tells the administrator."""

from __future__ import annotations

import json
import logging
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hubconfig.access import lists
from hubconfig.access.gate import Folders, Gate
from hubconfig.access.rules import Decision, Person, Reason
from hubconfig.auth_options import Access
from hubconfig.options import Application, HubOptions

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def gate(folder: Path, clock: Clock, admins: tuple[str, ...] = (), **access: Any) -> Gate:
    folders = Folders(folder / "access", folder / "state")
    folders.access.mkdir(exist_ok=True)
    options = HubOptions(admins=admins, access=Access(**access))
    return Gate(options, folders, logging.getLogger("hub"), clock)


def arrive(gate: Gate, name: str, number: str | None, **more: Any) -> Decision:
    return gate.arrive(gate.people.arriving(Person(name, number, **more)))


def test_the_id_of_the_first_sign_in_is_kept_over_restarts(tmp_path: Path, clock: Clock) -> None:
    assert arrive(gate(tmp_path, clock), "Ada", "12").allowed
    restarted = gate(tmp_path, clock)
    assert restarted.person("ada").id == "12"
    assert arrive(restarted, "ada", "99").reason is Reason.OTHER_ID
    assert restarted.person("ada").id == "12"


def test_the_log_says_how_to_let_a_new_account_of_an_old_name_in(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    hub = gate(tmp_path, clock)
    arrive(hub, "ada", "12")
    arrive(hub, "ada", "99")
    assert "write ada:99 into wlist" in caplog.messages[-1]
    assert str(hub.people.path) in caplog.messages[-1]


def test_listing_name_and_new_id_lets_the_new_account_in_for_good(tmp_path: Path, clock: Clock) -> None:
    arrive(gate(tmp_path, clock), "ada", "12")
    hub = gate(tmp_path, clock, allow=("ada:99",))
    assert arrive(hub, "ada", "99").allowed
    assert hub.person("ada").id == "99"


def test_deleting_a_person_s_line_lets_a_new_account_in(tmp_path: Path, clock: Clock) -> None:
    hub = gate(tmp_path, clock)
    arrive(hub, "ada", "12")
    arrive(hub, "bob", "13")
    lines = [line for line in hub.people.path.read_text().splitlines() if '"ada"' not in line]
    hub.people.path.write_text("\n".join(lines) + "\n")
    assert arrive(hub, "ada", "99").reason is Reason.OTHER_ID  # somebody may still be writing
    time.sleep(lists.SETTLE_S + 0.05)
    assert arrive(hub, "ada", "99").allowed
    assert hub.person("bob").id == "13"


def test_nobody_is_forgotten_because_the_file_is_gone_or_a_line_is_broken(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    hub = gate(tmp_path, clock)
    arrive(hub, "ada", "12")
    hub.people.path.unlink()
    assert hub.person("ada").id == "12"
    arrive(hub, "bob", "13")
    hub.people.path.write_text("{broken\n" + hub.people.path.read_text())
    time.sleep(lists.SETTLE_S + 0.05)
    assert arrive(hub, "ada", "99").reason is Reason.OTHER_ID
    assert "line 1 is not understood" in "".join(caplog.messages)
    arrive(hub, "carol", "14")
    assert hub.people.path.read_text().startswith("{broken\n")
    assert {json.loads(line)["user"] for line in hub.people.path.read_text().splitlines()[1:]} == {
        "ada",
        "bob",
        "carol",
    }


def test_somebody_who_is_kept_out_is_not_remembered(tmp_path: Path, clock: Clock) -> None:
    hub = gate(tmp_path, clock, mode="listed")
    assert not arrive(hub, "ada", "12").allowed
    assert hub.people.get("ada") is None


def test_the_file_of_people_is_the_hub_s_own(tmp_path: Path, clock: Clock) -> None:
    hub = gate(tmp_path, clock)
    arrive(hub, "ada", "12")
    assert hub.people.path.stat().st_mode & 0o077 == 0


def test_a_banned_person_who_takes_another_name_stays_out(tmp_path: Path, clock: Clock) -> None:
    hub = gate(tmp_path, clock)
    arrive(hub, "ada", "12")
    (tmp_path / "access" / "blist").write_text("ada\n")
    time.sleep(lists.SETTLE_S + 0.05)
    hub.rules  # noqa: B018 - looks at the file
    assert arrive(hub, "lovelace", "12").reason is Reason.BANNED


def test_each_answer_is_logged_once_with_who_and_why(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    hub = gate(tmp_path, clock, mode="listed", open_until=NOON + timedelta(hours=1))
    person = Person("Ada", "12")
    for _ in range(3):
        hub.decide(person)
    clock.now += timedelta(hours=1)
    for _ in range(3):
        hub.decide(person)
    assert [message for message in caplog.messages if "Ada" in message] == [
        "access: allowed Ada (id 12): open until a time",
        "access: denied Ada (id 12): not listed",
    ]


def test_a_name_cannot_forge_a_line_of_the_log(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    arrive(gate(tmp_path, clock), "x\n[I] access: allowed root\x1b[2J\u202e", "12")
    assert all(message.isascii() and message.isprintable() for message in caplog.messages)


def test_an_open_hub_is_called_so_in_the_log(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "access").mkdir()
    wlist = tmp_path / "access" / "wlist"
    wlist.write_text("ada\n")
    hub = gate(tmp_path, clock)
    assert not any("everybody" in message for message in caplog.messages)
    wlist.write_text("")
    time.sleep(lists.EMPTY_SETTLE_S + 0.05)
    assert hub.allows(Person("bob", "13"))
    assert any("everybody" in message for message in caplog.messages)
    caplog.clear()
    gate(tmp_path, clock, mode="open")
    assert not any("everybody" in message for message in caplog.messages)


def test_visitors_of_the_open_hours_stay_welcome(tmp_path: Path, clock: Clock) -> None:
    hub = gate(tmp_path, clock, open_until=NOON + timedelta(hours=1), keep_visitors=True, mode="listed")
    arrive(hub, "Ada", "12")
    arrive(hub, "ada@uvic.ca", "a-b-c")
    hub.decide(hub.person("ada"))
    lines = (tmp_path / "access" / "wlist").read_text().splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["ada:12", Person("ada@uvic.ca").user]
    time.sleep(lists.SETTLE_S + 0.05)
    clock.now += timedelta(hours=2)
    assert hub.allows(hub.person("ada"))
    assert hub.allows(Person("ada@uvic.ca", "a-b-c"))
    assert not arrive(hub, "bob", "13").allowed


def test_visitors_are_not_kept_unless_that_is_wished(tmp_path: Path, clock: Clock) -> None:
    arrive(gate(tmp_path, clock, open_until=NOON + timedelta(hours=1)), "ada", "12")
    assert not (tmp_path / "access" / "wlist").exists()


def test_visitors_who_cannot_be_written_down_get_in_and_the_administrator_is_told(
    tmp_path: Path, clock: Clock
) -> None:
    hub = gate(tmp_path, clock, open_until=NOON + timedelta(hours=1), keep_visitors=True, mode="listed")
    wlist = tmp_path / "access" / "wlist"
    wlist.mkdir()
    os.utime(wlist, (0, 0))
    assert arrive(hub, "ada", "12").allowed
    assert "visitors cannot be written" in "".join(hub.problems)


def test_the_state_differs_when_the_window_closes(tmp_path: Path, clock: Clock) -> None:
    hub = gate(tmp_path, clock, open_until=NOON + timedelta(hours=1), mode="listed")
    before = hub.state
    assert hub.state == before
    clock.now += timedelta(hours=1)
    assert hub.state != before


def test_groups_matter_when_a_list_or_a_menu_names_one(tmp_path: Path, clock: Clock) -> None:
    assert not gate(tmp_path, clock).wants_groups
    assert gate(tmp_path, clock, allow=("org:uvic",)).wants_groups
    menu = (Application(name="a", title="A", build="a", who=("team:uvic/stars",)),)
    folders = Folders(tmp_path / "access", tmp_path / "state")
    hub = Gate(HubOptions(menu=menu), folders, logging.getLogger("hub"), clock)
    assert hub.wants_groups
    arrive(hub, "ada", "12", teams=frozenset({"uvic/stars"}))
    arrive(hub, "bob", "13")
    assert hub.may_see("ada", menu[0].who)
    assert not hub.may_see("bob", menu[0].who)
    assert not hub.may_see("never-seen", menu[0].who)
