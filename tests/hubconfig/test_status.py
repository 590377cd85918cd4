"""What `make status` says, and what it marks."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubconfig.homes.homes import HomeUsage
from hubconfig.status import backup, container_line, filesystem, homes, machine, people, server, share

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("used", "wrong"), [(0, False), (89, False), (90, True), (100, True)])
def test_what_is_nearly_full_is_marked(used: int, wrong: bool) -> None:
    line = share("disk", used, 100, "GB")
    assert line.wrong == wrong
    assert str(line) == f"{'!' if wrong else ' '} disk                        {used} of 100 GB ({used}%)"


def test_a_real_filesystem_has_space_and_inodes(tmp_path: Path) -> None:
    assert [line.what for line in filesystem("here", tmp_path)] == ["disk, here", "  its inodes"]


def test_the_machine_is_told_from_what_the_kernel_says(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 1024000 kB\nMemFree: 1 kB\nMemAvailable: 51200 kB\n")
    (tmp_path / "loadavg").write_text("0.50 0.40 0.30 2/345 6789\n")
    (tmp_path / "sys/kernel").mkdir(parents=True)
    (tmp_path / "sys/kernel/threads-max").write_text("10000\n")
    memory, load, processes = machine(tmp_path)
    assert (memory.said, memory.wrong) == ("950 of 1,000 MB (95%)", True)
    assert load.said.startswith("0.50 on ")
    assert (processes.said, processes.wrong) == ("345 of 10,000  (3%)", False)


def test_people_are_counted_from_the_hubs_database(tmp_path: Path) -> None:
    file = tmp_path / "hub.sqlite"
    with sqlite3.connect(file) as made:
        made.execute("create table users (name text, last_activity datetime)")
        lately, long_ago = NOW - timedelta(hours=3), NOW - timedelta(days=9)
        rows = [("ada", lately), ("bob", long_ago), ("carol", None)]
        made.executemany(
            "insert into users values (?, ?)",
            [(name, when and when.strftime("%Y-%m-%d %H:%M:%S.%f")) for name, when in rows],
        )
    assert people(file, NOW).said == "3 known, 1 seen in the last 24 hours"


def test_a_hub_that_nobody_has_used_yet_has_no_people(tmp_path: Path) -> None:
    file = tmp_path / "hub.sqlite"
    with sqlite3.connect(file) as made:
        made.execute("create table users (name text, last_activity datetime)")
    assert people(file, NOW).said == "0 known, 0 seen in the last 24 hours"


@pytest.mark.parametrize(
    ("finished", "hours", "ok", "said", "wrong"),
    [
        ("2026-06-01T03:00:00Z", 24, True, "done", False),
        ("2026-06-01T03:00:00Z", 24, False, "FAILED: no route", True),
        ("2026-05-20T03:00:00Z", 24, True, "done", True),
        ("2026-05-20T03:00:00Z", 24 * 7, True, "done", False),
    ],
)
def test_a_backup_that_failed_or_is_old_is_marked(
    finished: str, hours: int, ok: bool, said: str, wrong: bool
) -> None:
    last = {"finished": finished, "everyHours": hours, "ok": ok, "message": "no route"}
    line = backup(json.dumps(last), NOW)
    assert (line.said, line.wrong) == (f"{finished}, {said}", wrong)
    assert backup(None, NOW).wrong
    gone = "gone since the last backup: /data/jupyterhub_users/eve"
    assert backup(json.dumps(last | {"ok": True, "warning": gone}), NOW).said == f"{finished}, done; {gone}"


def test_a_container_that_does_not_run_or_is_not_well_is_marked() -> None:
    def state(status: str, **more: object) -> dict[str, object]:
        return {"Status": status, "StartedAt": "2026-06-01T10:00:00.123456789Z", **more}

    assert (
        str(container_line("s-hub", state("running")))
        == "  s-hub                       running since 2026-06-01T10:00:00Z"
    )
    assert container_line("s-hub", state("restarting")).wrong
    assert container_line("s-hub", state("running", Health={"Status": "unhealthy"})).wrong


def test_a_server_shows_what_it_takes_of_its_limits() -> None:
    mb = 2**20
    memory = {"usage": 400 * mb, "limit": 1024 * mb, "stats": {"inactive_file": 100 * mb}}
    used = {"memory_stats": memory, "pids_stats": {"current": 31, "limit": 1024}}
    line = server("ada", "corehub", used)
    assert line.said == "corehub      300 of 1024 MB, 31 of 1024 processes"
    assert not line.wrong
    used["memory_stats"] = {**memory, "usage": 1100 * mb}
    assert server("ada", "corehub", used).wrong


def test_the_fullest_homes_are_shown_and_those_nearly_full_marked() -> None:
    def room(used_mb: int) -> HomeUsage:
        return HomeUsage(used_mb * 10**6, 1000 * 10**6, 1, 1000)

    rooms = {
        "ada": room(950),
        "bob": room(20),
        "cy": room(900),
        "di": room(10),
        "ed": room(1000),
        "flo": room(999),
    }
    lines = homes(rooms)
    assert [(line.what, line.wrong) for line in lines] == [
        ("home of ed", True),
        ("home of flo", True),
        ("home of ada", True),
        ("home of cy", True),
    ]
    assert lines[2].said == "950 of 1,000 MB (95%)"
    assert [line.what for line in homes({"bob": room(20), "di": room(10)})] == ["home of bob", "home of di"]
    assert homes({}) == []
