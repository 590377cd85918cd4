"""A hub is backed up, lost, and put back on another machine; mistakes are undone; what fails is told."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.docker.conftest import deployed, quick_menu
from tests.support.deployment import Deployment, docker
from tests.support.git_server import GitServer
from tests.support.visitor import Visitor

PASSWORD = "the password of the backups"
SPARSE_BYTES = 2**30


def settings(server: GitServer, repository: Path) -> dict[str, Any]:
    return {
        "hub": {"auth": {"kind": "sharedPassword"}, "menu": quick_menu(server)},
        "backup": {"repository": str(repository)},
    }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that both machines reach."""
    return tmp_path_factory.mktemp("backups") / "repository"


@pytest.fixture(scope="module")
def one(
    git_server: GitServer, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("bkone")
    with deployed("bkone", folder, settings(git_server, repository), backupPassword=PASSWORD) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def two(
    git_server: GitServer, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Another place: its own data folder, network, ports, passwords."""
    folder = tmp_path_factory.mktemp("bktwo")
    with deployed("bktwo", folder, settings(git_server, repository)) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def ada(one: Deployment) -> Visitor:
    """Ada, who signed in at the first place; her cookies stay hers."""
    person = Visitor(one.url, one.authority)
    person.sign_in("ada", one.outputs()["sharedPassword"])
    person.start("ada", "quick")
    return person


def last(deployment: Deployment) -> dict[str, Any]:
    """What the backup left behind when it ended last."""
    found: dict[str, Any] = json.loads((deployment.data / "cyberhub/backup/last.json").read_text())
    return found


def until_backup(deployment: Deployment, words: str = "", **known: object) -> None:
    """Until the backup says so."""
    deadline = time.monotonic() + 60
    while not (deployment.data / "cyberhub/backup/last.json").exists() or not (
        known.items() <= last(deployment).items() and words in last(deployment)["message"]
    ):
        assert time.monotonic() < deadline, deployment.trouble()
        time.sleep(0.2)


def put_odd_files(home: Path) -> None:
    """All that people's files can be."""
    names = ["with space", "new\nline", "-rf", "ünï ☃", "quo\"te'", ".hidden", "a" * 255]
    for number, name in enumerate(names):
        (home / name).write_text(f"{number} {name}")
        (home / name).chmod((0o600, 0o755, 0o444, 0o000, 0o640, 0o604, 0o4711)[number])
    (home / "folder/deep").mkdir(parents=True)
    (home / "folder/deep/data.bin").write_bytes(os.urandom(3_000_000))
    (home / "empty folder").mkdir(mode=0o700)
    (home / "to nowhere").symlink_to("/nowhere/at all")
    (home / "to deep").symlink_to("folder/deep")
    os.link(home / "folder/deep/data.bin", home / "same data")
    with (home / "sparse").open("wb") as sparse:
        sparse.truncate(SPARSE_BYTES)
        sparse.seek(SPARSE_BYTES // 2)
        sparse.write(b"in the middle")
    os.mkfifo(home / "pipe")
    for path in (home, *home.rglob("*")):
        os.chown(path, 1000, 100, follow_symlinks=False)
    os.chown(home / "ünï ☃", 1234, 4321)
    os.utime(home / "folder", (1_000_000_000, 1_000_000_000))


def tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """Path to all that a file is: kind, mode, owner, time, content, and which other names it has."""
    first_name: dict[int, str] = {}
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted([folder, *folder.rglob("*")]):
        name, known = str(path.relative_to(folder)), path.lstat()
        content = ""
        if stat.S_ISLNK(known.st_mode):
            content = str(path.readlink())
        elif stat.S_ISREG(known.st_mode):
            content = sha256(path.read_bytes()).hexdigest()
        same_as = first_name.setdefault(known.st_ino, name)
        found[name] = (known.st_mode, known.st_uid, known.st_gid, known.st_mtime, content, same_as)
    return found


def test_a_hub_is_backed_up_in_one_command_and_status_tells(one: Deployment, ada: Visitor) -> None:
    put_odd_files(one.home("ada"))
    (one.data / "user/for all").write_text("shared")
    one.put_list("wlist", "ada\n")
    one.put_list("blist", "mallory\n")
    until_backup(one, ok=True)
    done = one.tool("backup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"backup: done: [0-9a-f]{8}", done.stdout)
    assert re.search(r"^  last backup +\S+, done$", one.tool("status").stdout, re.MULTILINE)


def test_a_database_that_is_being_written_is_waited_for(one: Deployment) -> None:
    database = sqlite3.connect(
        one.data / "cyberhub/hub/state/jupyterhub.sqlite", check_same_thread=False, isolation_level=None
    )
    database.execute("begin exclusive")
    ending = threading.Timer(3, lambda: database.execute("rollback"))
    ending.start()
    done = one.tool("backup")
    ending.join()
    database.close()
    assert done.returncode == 0, done.stdout + done.stderr


def test_with_another_password_the_repository_cannot_be_read(one: Deployment, two: Deployment) -> None:
    until_backup(two, ok=False)
    assert "has another password" in last(two)["message"]
    refused = two.tool("restore", YES="1")
    assert refused.returncode != 0
    assert "has another password" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_new_machines_empty_hub_is_not_backed_up_over_the_one_it_replaces(
    one: Deployment, two: Deployment
) -> None:
    two.pulumi("config", "set", "--secret", "backupPassword", PASSWORD)
    two.up()
    until_backup(two, "holds backups of bkone", ok=False, made=False)
    told = two.tool("status")
    assert re.search(
        r"^! last backup .* holds backups of bkone, .*make restore STACK=bktwo", told.stdout, re.MULTILINE
    ), told.stdout + told.stderr


def test_nothing_is_overwritten_without_being_asked(two: Deployment) -> None:
    asked = two.tool("restore")
    assert asked.returncode != 0
    assert "YES=1" in asked.stderr
    assert "bkone" in asked.stdout
    assert not two.home("ada").exists()


def test_the_other_machine_has_all_of_it_after_one_command(one: Deployment, two: Deployment) -> None:
    done = two.tool("restore", YES="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{two.url} answers" in done.stdout
    assert tree(two.home("ada")) == tree(one.home("ada"))
    assert tree(two.data / "user") == tree(one.data / "user")
    assert (two.home("ada") / "sparse").stat().st_blocks * 512 < SPARSE_BYTES / 100
    for name in ("wlist", "blist"):
        assert (two.access() / name).read_bytes() == (one.access() / name).read_bytes()
    assert two.authority.read_bytes() == one.authority.read_bytes()


def test_who_was_signed_in_signs_in_again_and_works_on(two: Deployment, ada: Visitor) -> None:
    assert not ada.is_in(two.url), "a cookie that the old key signed opens the hub"
    there = Visitor(two.url, two.authority)
    there.sign_in("ada", two.outputs()["sharedPassword"])
    there.start("ada", "quick")
    assert docker("exec", "bktwo-user-ada", "cat", "/home/user/with space") == "0 with space"


def test_the_database_is_whole(two: Deployment) -> None:
    with sqlite3.connect(two.data / "cyberhub/hub/state/jupyterhub.sqlite") as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert ("ada",) in database.execute("select name from users").fetchall()


def test_from_then_on_the_other_machine_backs_itself_up_beside_the_first(
    one: Deployment, two: Deployment
) -> None:
    before = snapshots(one)
    done = two.tool("backup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {stack for stack in snapshots(two).values() if stack == "bktwo"}
    assert before.items() <= snapshots(one).items()


def test_a_mistake_is_undone_by_an_older_snapshot_and_that_can_be_undone_too(
    two: Deployment, ada: Visitor
) -> None:
    home = two.home("ada")
    older = re.search(r"done: (\w+)", two.tool("backup").stdout)
    assert older
    (home / "with space").write_text("spoilt")
    (home / "folder/deep/data.bin").unlink()
    (home / "came since").write_text("new")
    assert two.tool("backup").returncode == 0
    assert two.containers("user") == ["bktwo-user-ada"]
    done = two.tool("restore", YES="1", SNAPSHOT=older[1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert (home / "with space").read_text() == "0 with space"
    assert (home / "folder/deep/data.bin").exists()
    assert (home / "came since").read_text() == "new"
    assert two.containers("user") == [], "a server went on with files that changed under it"
    assert not ada.is_in(two.url)
    replaced = re.search(r"what was here is kept as snapshot (\w+)", done.stdout)
    assert replaced
    assert two.tool("restore", YES="1", SNAPSHOT=replaced[1]).returncode == 0
    assert (home / "with space").read_text() == "spoilt"


def test_a_snapshot_that_is_not_there_stops_nothing(two: Deployment) -> None:
    started = docker("inspect", "--format", "{{.State.StartedAt}}", two.container("hub"))
    refused = two.tool("restore", YES="1", SNAPSHOT="0123abcd")
    assert refused.returncode != 0
    assert "there is no snapshot 0123abcd" in refused.stderr
    assert docker("inspect", "--format", "{{.State.StartedAt}}", two.container("hub")) == started


def test_a_repository_that_is_gone_is_told_and_not_begun_anew_and_tried_again(
    one: Deployment, repository: Path
) -> None:
    away = repository.with_name("away")
    away.mkdir()
    for part in repository.iterdir():  # as when its disk is not mounted
        part.rename(away / part.name)
    done = one.tool("backup")
    assert done.returncode != 0
    assert f"the repository {repository} is gone" in done.stdout + done.stderr
    assert list(repository.iterdir()) == []
    told = one.tool("status")
    assert re.search(r"^! last backup .*FAILED: the repository .* is gone", told.stdout, re.MULTILINE)
    assert told.returncode == 1
    for part in away.iterdir():
        part.rename(repository / part.name)
    quarter_of_an_hour_ago = time.time() - 16 * 60
    os.utime(one.data / "cyberhub/backup/last.json", (quarter_of_an_hour_ago,) * 2)
    until_backup(one, ok=True)


def snapshots(deployment: Deployment) -> dict[str, str]:
    """Id to stack of all that is in the repository."""
    listed = deployment.tool("snapshots")
    assert listed.returncode == 0, listed.stderr
    rows = [
        re.match(r"([0-9a-f]{8})\s+\S+ \S+\s+cyberhub\s+(\S+)", line) for line in listed.stdout.splitlines()
    ]
    return {row[1]: row[2] for row in rows if row}
