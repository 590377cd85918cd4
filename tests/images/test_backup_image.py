"""The backup by itself: a repository far away that wants a name and a password, and files of any kind."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.engine import EngineError
from tests.images.building import DROPPED, ENGINE, image, inspect, log, network, remove, running, until

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
    ENGINE.run("start", container)
    return container


RIGHTS = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID")


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
    container = make(data, credentials, STACK="shared", MORE_PATHS="/data/user")
    ENGINE.run("exec", container, "cyberhub-backup", "once")
    shared.rmdir()
    ENGINE.run("exec", container, "cyberhub-backup", "restore")
    assert shared.stat().st_mode & 0o7777 == 0o2775
