"""What the backup decides: without restic, without Docker."""

from __future__ import annotations

import json
import os
import sqlite3
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubconfig.backup import sight, snapshots, staging
from hubconfig.backup.inspection import Findings, compare
from hubconfig.backup.notes import Notes, due
from hubconfig.backup.options import Options, Refused, credentials
from hubconfig.backup.restic import Done, why_closed
from hubconfig.backup.restoring import within
from hubconfig.backup.volume import Volume, is_ours, literally
from hubconfig.data_folder import INSIDE, DataFolder

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
VALUES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))


@given(st.dictionaries(NAMES, VALUES), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_credentials_are_read_as_they_were_written(known: dict[str, str], end: str, has_an_end: bool) -> None:
    text = "# a comment" + end + end.join(f"{name}={value}" for name, value in known.items())
    assert credentials(text + (end if has_an_end else "")) == known


@given(st.text())
def test_no_credentials_are_shown_when_they_are_refused(text: str) -> None:
    try:
        credentials(text)
    except Refused as error:
        said = str(error)
    else:
        return
    assert said == "backupCredentials has a line that is not NAME=value"


@pytest.mark.parametrize("line", ["A", "=x", "1A=x", "A B=x", "A: x", "A-B=x", "Ä=x"])
def test_a_line_that_is_no_variable_is_refused(line: str) -> None:
    with pytest.raises(Refused):
        credentials(f"FINE=1\n{line}\n")


def listed(*known: tuple[str, str]) -> list[snapshots.Snapshot]:
    """Snapshots of ids and tags, oldest first."""
    rows = [
        {"id": id_ * 8, "short_id": id_, "time": f"2026-01-{day:02}T00:00:00Z", "tags": [tag]}
        for day, (id_, tag) in enumerate(known, 1)
    ]
    return snapshots.read(json.dumps(list(reversed(rows))))


def chosen(begins: str, *known: tuple[str, str]) -> str:
    return snapshots.choose(listed(*known), "one", begins, "/backups").short


def test_the_stacks_latest_is_restored_and_else_the_only_other_stacks() -> None:
    assert chosen("", ("aa", "one"), ("bb", "one"), ("cc", "two"), ("dd", "replaced:one")) == "bb"
    assert chosen("", ("aa", "two"), ("bb", "two"), ("cc", "replaced:one")) == "bb"
    assert chosen("cc", ("aa", "one"), ("cc", "replaced:one")) == "cc"


@pytest.mark.parametrize(
    ("begins", "known", "why"),
    [
        ("", [], "there is no backup in /backups"),
        ("", [("aa", "replaced:one")], "there is no backup in /backups"),
        ("", [("aa", "two"), ("bb", "three")], "no backup of one, but of three, two;"),
        ("ff", [("aa", "one")], "there is no snapshot ff"),
        ("a", [("aa", "one"), ("ab", "one")], "several snapshots whose ids begin with a;"),
    ],
)
def test_what_cannot_be_chosen_is_told(begins: str, known: list[tuple[str, str]], why: str) -> None:
    with pytest.raises(Refused, match=why):
        chosen(begins, *known)


def test_a_backup_is_due_by_the_clock_and_one_that_failed_soon() -> None:
    assert not due(23 * 3600, 24, made=True, new=True)
    assert due(24 * 3600 + 1, 24, made=True, new=False)
    assert due(16 * 60, 24, made=False, new=False)
    assert not due(14 * 60, 24, made=False, new=False)
    assert due(1, 24, made=False, new=True)


def test_notes_tell_how_it_ended_and_whose_backups_these_are(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    assert notes.is_due(0, 24, new=False)
    assert notes.belongs_to() is None
    notes.note(ok=True, made=True, message="", warning="w", every_hours=24)
    assert not notes.is_due(notes.last.stat().st_mtime + 60, 24, new=True)
    assert json.loads(notes.last.read_text())["ok"] is True
    notes.last.write_text("{")
    assert notes.is_due(notes.last.stat().st_mtime, 24, new=True)
    notes.join("/backups", "id")
    assert notes.is_joined("/backups", "id")
    assert not notes.is_joined("/backups", "another")
    assert notes.belongs_to() == "/backups"


def volume(root: Path, *hubs: str) -> Volume:
    """A volume with hubs, each with a home, a list and a database."""
    made = Volume(DataFolder.at(str(root)), hubs)
    for hub in hubs:
        folders = made.hub(hub)
        for folder in (folders.state, folders.access, folders.homes / "ada"):
            Path(folder).mkdir(parents=True)
        database(Path(folders.state) / "jupyterhub.sqlite")
    return made


def database(file: Path) -> None:
    opened = sqlite3.connect(file)
    opened.executescript(
        "pragma journal_mode=wal; create table users (name, encrypted_auth_state);"
        "insert into users values ('ada', 'x');"
        "create table servers (id); insert into servers values (7);"
        "create table spawners (server_id, state); insert into spawners values (7, '{1}');"
    )
    opened.close()


@given(st.from_regex(r"[a-z][a-z0-9-]{0,15}", fullmatch=True).filter(lambda name: name not in INSIDE))
def test_nothing_that_is_left_out_is_a_hubs_but_its_live_database(name: str) -> None:
    made = Volume(DataFolder.at("/nowhere"), ("hub", name))
    for path in made.left_out():
        for folder in made.hub_folders(["hub", name]):
            assert not Path(folder).is_relative_to(path)


@given(st.text(st.sampled_from("ab*?[]\\-x/"), min_size=1), st.text(st.sampled_from("ab*?[]\\-x/")))
def test_a_path_that_is_left_out_is_no_pattern(path: str, other: str) -> None:
    # Python's own patterns have no backslash: it is a class of one there.
    pattern = "".join(f"[{each}]" if each in "*?[" else each for each in path)
    assert fnmatchcase(other, pattern) == (other == path)
    assert literally(path).replace("\\\\", "\0").replace("\\", "").replace("\0", "\\") == path


def test_every_hub_is_copied_also_one_that_the_settings_have_no_longer(tmp_path: Path) -> None:
    volume(tmp_path, "hub", "databases2", "old")
    seen = Volume(DataFolder.at(str(tmp_path)), ("hub",))
    assert seen.every_hub() == ["databases2", "hub", "old"]
    assert len(seen.databases()) == 3
    assert seen.copied() == [str(tmp_path / "cyberhub"), str(tmp_path / "jupyterhub_users")]
    assert str(tmp_path / "cyberhub/backup/staging") not in seen.left_out()
    # Another stack's proxy would look for this stack's hubs.
    assert str(tmp_path / "cyberhub/proxy/site") in seen.left_out()
    assert str(tmp_path / "cyberhub/space-tokens") in seen.left_out()


def test_copies_of_databases_are_whole_and_forget_what_ended(tmp_path: Path) -> None:
    seen = volume(tmp_path, "hub", "astro")
    copies = tmp_path / "cyberhub/backup/staging"
    copies.parent.mkdir()
    staging.stage(seen.databases(), tmp_path, copies)
    copy = copies / "cyberhub/astro/state/jupyterhub.sqlite"
    assert staging.check(copy) == 1
    staging.unlearn(copy)
    target = tmp_path / "cyberhub/astro/state/jupyterhub.sqlite"
    staging.place(copy, target)
    with sqlite3.connect(target) as opened:
        assert opened.execute("select * from spawners").fetchall() == [(None, "{}")]
        assert opened.execute("select * from users").fetchall() == [("ada", None)]
    staging.clear(copies)
    assert not copies.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="the backup is root")
@pytest.mark.parametrize(
    "what", ["thesis.tex", "cyberhub/hub/state/thesis.tex", "jupyterhub_users/ada/x.sqlite"]
)
def test_a_folder_that_holds_anything_else_is_not_emptied(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "databases"
    (folder / what).parent.mkdir(parents=True)
    folder.chmod(0o700)
    (folder / what).write_text("mine")
    assert not is_ours(folder)
    with pytest.raises(Refused, match="move it away"):
        staging.clear(folder)
    assert (folder / what).read_text() == "mine"


def test_what_is_no_database_is_an_error(tmp_path: Path) -> None:
    seen = volume(tmp_path, "hub")
    (file,) = seen.databases()
    file.write_text("no database at all, but quite long a text")
    (tmp_path / "cyberhub/backup").mkdir()
    with pytest.raises(Refused, match="could not be copied"):
        staging.stage([file], tmp_path, tmp_path / "cyberhub/backup/staging")


HUBS = {"hub": ("/data/homes", "/data/access", "/data/state")}
ALL = frozenset({*HUBS["hub"], "/data/homes/ada"})


@pytest.mark.parametrize(
    ("there", "before", "now", "found"),
    [
        (ALL, ALL, ALL, Findings()),
        (ALL, frozenset(), ALL, Findings()),
        (ALL, ALL, ALL - {"/data/state"}, Findings("the snapshot lacks /data/state")),
        (
            ALL - {"/data/access"},
            ALL,
            ALL - {"/data/access"},
            Findings("the data volume has no longer /data/access"),
        ),
        (
            ALL - {"/data/homes/ada"},
            ALL,
            ALL,
            Findings("", "gone since the last backup: /data/homes/ada"),
        ),
    ],
)
def test_a_snapshot_without_what_should_be_in_it_is_told(
    there: frozenset[str], before: frozenset[str], now: frozenset[str], found: Findings
) -> None:
    assert compare(HUBS, there, before, now) == found


def test_why_a_repository_is_closed_is_told_for_people() -> None:
    assert "has another password" in why_closed(Done(12, "", ""), "r")
    slow = "Load(<config>) returned error, retrying after 1s: dial tcp: no route to host"
    assert why_closed(Done(124, "", slow), "r") == "r does not answer: dial tcp: no route to host"
    assert why_closed(Done(1, "", "x\nFatal: no\ny\n"), "r") == "r: Fatal: no"
    gone = "error: lstat /a: no such file or directory\nerror: read /b: input/output error\n"
    assert Done(3, "", gone).unread == ["error: read /b: input/output error"]


@pytest.mark.parametrize("path", ["", "/", "../etc", "a/../../b", "a\0b"])
def test_nothing_outside_the_volume_is_fetched(path: str) -> None:
    with pytest.raises(Refused):
        within(path)


def test_mounts_on_the_volume_are_found_by_their_place() -> None:
    lines = ["1 2 8:1 /x /data rw - ext4 /dev/x rw", "3 2 8:2 / /data/a\\040b rw - ext4 y rw"]
    assert sight.mounts("/data", "\n".join([*lines, "4 2 8:3 / /database rw - ext4 z rw"])) == [
        "/data",
        "/data/a b",
    ]


def test_what_the_container_is_told_is_read() -> None:
    told = {"RESTIC_REPOSITORY": "/repository", "STACK": "one", "HUBS": "hub astro", "SHARED": '["a b"]'}
    found = Options.read(told)
    assert (found.hubs, found.shared, found.repository) == (("hub", "astro"), ("a b",), "/repository")
    for lacking in ("RESTIC_REPOSITORY", "STACK"):
        with pytest.raises(Refused, match=lacking):
            Options.read({key: value for key, value in told.items() if key != lacking})
