"""The backup by itself: a repository far away that wants a name and a password, and files of any kind."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.engine import EngineError
from infra.images.contexts import ROOT
from infra.site.backup import RIGHTS, code
from tests.images.building import (
    DROPPED,
    ENGINE,
    image,
    inspect,
    log,
    network,
    process,
    remove,
    running,
    until,
)

SUBNET = "10.120.9.0/24"
FAR_AWAY = "10.120.9.10"
NAME, PASSWORD = "hub", "pass=word=with=="


@pytest.fixture(scope="module")
def far_away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A machine that keeps backups for who has its password; its folder."""
    folder = tmp_path_factory.mktemp("far-away")
    words = ["--network", "images-backup", "--ip", FAR_AWAY, "--volume", f"{folder}:/backups"]
    serve = ["serve", "restic", "/backups", "--addr", ":8080", "--user", NAME, "--pass", PASSWORD]
    with (
        network("images-backup", "--subnet", SUBNET),
        running("images-far-away", "--init", *words, "--entrypoint", "rclone", image("backup"), *serve),
    ):
        yield folder


def make(data: Path, credentials: str, **more: str) -> str:
    """Make the container as the program does: its secrets are put in before it starts."""
    container = "images-backup"
    remove(container)
    environment = {
        "STACK": "one",
        "HUBS": "hub astro",
        "REPOSITORY": f"rest:http://{FAR_AWAY}:8080/",
        "RESTIC_REPOSITORY": f"rest:http://{FAR_AWAY}:8080/",
        **more,
    }
    rights = [*DROPPED, *(word for right in RIGHTS for word in ("--cap-add", right))]
    words = [word for key, value in environment.items() for word in ("--env", f"{key}={value}")]
    words += ["--name", container, "--init", "--network", "images-backup", "--volume", f"{data}:/data"]
    ENGINE.run("create", *words, *rights, image("backup"))
    secrets = data.parent / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "backup_password").write_text("the password of the backups")
    (secrets / "backup_credentials").write_text(credentials)
    ENGINE.run("cp", str(secrets), f"{container}:/run/")
    for file in code():
        target = data.parent / "srv/cyberhub/hubconfig" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((ROOT / "hubconfig" / file).read_text())
    ENGINE.run("cp", str(data.parent / "srv"), f"{container}:/")
    ENGINE.run("start", container)
    return container


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data volume with somebody's home."""
    home = tmp_path / "data/jupyterhub_users/ada"
    home.mkdir(parents=True)
    (home / "thesis.tex").write_text("as it was")
    yield tmp_path / "data"
    remove("images-backup")


def last(data: Path) -> dict[str, object]:
    """What the last backup left behind."""
    file = data / "cyberhub/backup/last.json"
    found: dict[str, object] = json.loads(file.read_text()) if file.exists() else {}
    return found


def test_credentials_open_a_place_far_away_and_are_not_to_be_seen(far_away: Path, data: Path) -> None:
    # As `pulumi config set` keeps what a person typed: no end of the last line.
    container = make(
        data, f"# of the archive\nRESTIC_REST_USERNAME={NAME}\r\nRESTIC_REST_PASSWORD={PASSWORD}"
    )
    until(lambda: last(data).get("ok") is True, "it is backed up")
    assert (far_away / "config").exists()
    assert PASSWORD not in str(inspect(container))
    (data / "jupyterhub_users/ada/thesis.tex").write_text("spoilt")
    said = ENGINE.run("exec", container, "cyberhub-backup", "fetch", "jupyterhub_users/ada/thesis.tex")
    (restored,) = (data / "restored").glob("*/jupyterhub_users/ada/thesis.tex")
    assert restored.read_text() == "as it was"
    assert str(restored.relative_to(data)) in said
    assert (data / "restored").stat().st_mode & 0o777 == 0o700


def test_a_wrong_password_of_the_place_is_told_without_being_shown(far_away: Path, data: Path) -> None:
    assert far_away
    container = make(data, f"RESTIC_REST_USERNAME={NAME}\nRESTIC_REST_PASSWORD=mistyped")
    with pytest.raises(EngineError, match="401") as caught:
        ENGINE.run("exec", container, "cyberhub-backup", "snapshots")
    assert "mistyped" not in str(caught.value)


def test_credentials_that_cannot_be_read_are_told_without_being_shown(far_away: Path, data: Path) -> None:
    assert far_away
    container = make(data, "RESTIC_REST_PASSWORD: mistyped")
    until(lambda: "backupCredentials has a line that is not NAME=value" in log(container), "it says so")
    assert "mistyped" not in log(container)


def test_a_place_that_does_not_answer_is_told_within_a_minute(far_away: Path, data: Path) -> None:
    assert far_away
    nobody = "rest:http://10.120.9.99:8080/"
    begun = time.monotonic()
    make(data, "", RESTIC_REPOSITORY=nobody, REPOSITORY=nobody)
    until(lambda: last(data).get("ok") is False, "it is told", within_s=120)
    assert time.monotonic() - begun < 60
    assert nobody in str(last(data)["message"])


def test_a_shared_folder_keeps_its_group_for_new_files(far_away: Path, data: Path) -> None:
    shared = data / "user"
    shared.mkdir()
    subprocess.run(["chown", "1000:100", shared], check=True)
    shared.chmod(0o2775)
    credentials = f"RESTIC_REST_USERNAME={NAME}\nRESTIC_REST_PASSWORD={PASSWORD}\n"
    container = make(data, credentials, STACK="shared", SHARED='["user"]')
    ENGINE.run("exec", container, "cyberhub-backup", "once")
    shared.rmdir()
    ENGINE.run("exec", container, "cyberhub-backup", "restore")
    assert shared.stat().st_mode & 0o7777 == 0o2775


def far(folder: Path, data: Path, **more: str) -> str:
    """A container that backs up to the place far away, which it has done once."""
    assert folder
    container = make(data, f"RESTIC_REST_USERNAME={NAME}\nRESTIC_REST_PASSWORD={PASSWORD}\n", **more)
    ENGINE.run("exec", container, "cyberhub-backup", "once")
    return container


def listed(container: str, stack: str) -> list[str]:
    """The paths in a stack's latest snapshot."""
    restic = (
        f"cyberhub-backup which >/dev/null && RESTIC_PASSWORD_FILE={SECRET} restic ls latest --tag {stack}"
    )
    known = f"RESTIC_REST_USERNAME={NAME} RESTIC_REST_PASSWORD={PASSWORD}"
    return ENGINE.run("exec", container, "sh", "-c", f"export {known}; {restic}").splitlines()


SECRET = "/run/secrets/backup_password"


def test_its_rights_are_those_that_files_take(far_away: Path, data: Path) -> None:
    container = far(far_away, data, STACK="rights")
    rights = int(process(container, "python3 -m hubconfig.backup", "status")["CapBnd"], 16)
    mount, drop = 1 << 21, 1 << 8
    assert not rights & (mount | drop)


def test_a_folder_that_somebody_else_filled_is_never_emptied(far_away: Path, data: Path) -> None:
    thesis = data / "cyberhub/databases/jupyterhub_users/dora/thesis.txt"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("mine")
    container = far(far_away, data, STACK="filled")
    assert thesis.read_text() == "mine"
    assert "/data/cyberhub/databases/jupyterhub_users/dora/thesis.txt" in listed(container, "filled")


def test_a_folder_that_becomes_a_link_while_it_is_read_leads_nowhere(far_away: Path, data: Path) -> None:
    """What is in the user's part of the snapshot is the user's own, at each of three tries."""
    state = data / "cyberhub/hub/state"
    state.mkdir(parents=True)
    (state / "cookie_secret").write_text("the hub's secret")
    home = data / "jupyterhub_users/bob"
    folder = home / "d"
    folder.mkdir(parents=True)
    for number in range(3000):
        (folder / f"a{number:05}").write_text("x")
    (folder / "cookie_secret").write_text("bob's")
    container = far(far_away, data, STACK="race")
    for _ in range(3):
        racing = threading.Event()
        swapper = threading.Thread(target=swap, args=(folder, racing))
        swapper.start()
        try:
            subprocess.run(ENGINE.command("exec", container, "cyberhub-backup", "once"), check=False)
        finally:
            racing.set()
            swapper.join()
        shutil.rmtree(data / "restored", ignore_errors=True)
        ENGINE.run("exec", container, "cyberhub-backup", "fetch", "jupyterhub_users/bob")
        for found in (data / "restored").rglob("cookie_secret"):
            assert found.is_symlink() or found.read_text() == "bob's"


def swap(folder: Path, end: threading.Event) -> None:
    """Let a folder be a link and a folder in turn."""
    aside = folder.with_name("aside")
    while not end.is_set():
        folder.rename(aside)
        folder.symlink_to("/data/cyberhub/hub/state")
        time.sleep(0.002)
        folder.unlink()
        aside.rename(folder)
        time.sleep(0.002)


def test_a_link_on_the_volume_is_not_followed(far_away: Path, data: Path) -> None:
    container = far(far_away, data, STACK="link")
    (data / "jupyterhub_users/ada/link").symlink_to("thesis.tex")
    refused = subprocess.run(
        ENGINE.command("exec", container, "cat", "/data/jupyterhub_users/ada/link"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Too many levels of symbolic links" in refused.stderr
    assert "thesis.tex" in ENGINE.run("exec", container, "readlink", "/data/jupyterhub_users/ada/link")


def test_a_snapshot_of_an_older_version_is_restored_and_keys_are_made_anew(
    far_away: Path, data: Path
) -> None:
    container = far(far_away, data, STACK="older")
    state = data / "cyberhub/hub/state"
    copies = data / "cyberhub/databases/cyberhub/hub/state"
    for folder in (state, copies):
        folder.mkdir(parents=True)
    (data / "cyberhub/databases").chmod(0o700)
    (state / "cookie_secret").write_text("of then")
    with sqlite3.connect(copies / "jupyterhub.sqlite") as copy:
        copy.executescript(
            "create table users (name, encrypted_auth_state); insert into users values ('ada', 'x');"
            "create table servers (id); create table spawners (server_id, state);"
        )
    copy.close()
    words = "restic backup -q --host cyberhub --tag older "
    words += "/data/jupyterhub_users /data/cyberhub/databases /data/cyberhub/hub"
    known = f"RESTIC_PASSWORD_FILE={SECRET} RESTIC_REST_USERNAME={NAME} RESTIC_REST_PASSWORD={PASSWORD}"
    ENGINE.run("exec", container, "sh", "-c", f"export {known}; {words}")
    shutil.rmtree(data / "cyberhub/databases")
    said = ENGINE.run("exec", container, "cyberhub-backup", "restore")
    assert "everybody has to sign in again" in said
    assert not (state / "cookie_secret").exists()
    assert not (data / "cyberhub/databases").exists()
    with sqlite3.connect(state / "jupyterhub.sqlite") as database:
        assert database.execute("select name from users").fetchall() == [("ada",)]


def test_a_hubs_folder_that_is_gone_is_an_error_and_a_home_a_word(far_away: Path, data: Path) -> None:
    for folder in ("state", "access", "jupyterhub_users/eve"):
        (data / "cyberhub/astro" / folder).mkdir(parents=True)
    container = far(far_away, data, STACK="gone")
    (data / "cyberhub/astro/jupyterhub_users/eve").rmdir()
    ENGINE.run("exec", container, "cyberhub-backup", "once")
    assert "gone since the last backup: /data/cyberhub/astro/jupyterhub_users/eve" in str(
        last(data)["warning"]
    )
    shutil.rmtree(data / "cyberhub/astro/access")
    with pytest.raises(EngineError, match="has no longer /data/cyberhub/astro/access"):
        ENGINE.run("exec", container, "cyberhub-backup", "once")
    assert last(data)["ok"] is False
