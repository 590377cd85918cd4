"""The hub's image: what it needs, what it refuses, what it gives up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hubconfig import labels
from infra.images.check import hub_version
from tests.images.building import (
    DROPPED,
    ENGINE,
    anonymous_mb,
    image,
    inside,
    inspect,
    log,
    network,
    no_rights,
    process,
    refusal,
    until,
)
from tests.images.small_hub import RIGHTS, mounts, small_hub

HUB = "python3 -m jupyterhub"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the hub's mounts are."""
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[str]:
    """A hub that answers."""
    with network("images-hub-net") as net, small_hub(folder, net) as container:
        until(lambda: "JupyterHub is now running" in log(container), "the hub runs")
        yield container


def test_the_hub_runs_as_nobody_special_once_it_has_started(hub: str) -> None:
    status = process(hub, HUB, "status")
    assert set(status["Uid"].split()) == {"1000"}
    assert set(status["Gid"].split()) == {"100"}
    assert no_rights(hub, HUB)


def test_the_hub_can_talk_to_docker(hub: str) -> None:
    said = inside(
        *(hub, "setpriv", "--reuid", "1000", "--regid", "100", "--groups"),
        process(hub, HUB, "status")["Groups"].strip().replace(" ", ","),
        *("python3", "-c", "import docker; print(docker.from_env().ping())"),
    )
    assert said == "True"


def test_the_hub_starts_without_a_complaint(hub: str) -> None:
    complaints = [line for line in log(hub).splitlines() if not line.startswith("[I")]
    named = ("Using testing authenticator DummyAuthenticator", "Context impl SQLite", "non-transactional")
    assert [line for line in complaints if not any(each in line for each in named)] == []


def test_an_idle_hub_takes_less_than_90_mb(hub: str) -> None:
    assert anonymous_mb(hub, HUB) < 90  # 76 measured; JupyterHub as it comes takes 100


def test_the_hub_answers(hub: str) -> None:
    ask = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8081/hub/api').status)"
    assert inside(hub, "python3", "-c", ask) == "200"


def test_folders_that_docker_made_become_the_hubs_and_nobody_elses(hub: str, folder: Path) -> None:
    assert hub
    modes = {
        name: ((folder / name).stat().st_mode & 0o777, (folder / name).stat().st_uid)
        for name in ("state", "access", "homes")
    }
    assert modes == {"state": (0o700, 1000), "access": (0o755, 1000), "homes": (0o711, 1000)}


def test_secrets_are_copied_to_memory_and_only_the_hub_reads_them(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden\n")
    (tmp_path / "secret").chmod(0o600)
    words = ["--volume", f"{tmp_path / 'secret'}:/run/secrets/oauth_client_secret:ro"]
    listing = ["stat", "-c", "%U %a %n", "/run/cyberhub", "/run/cyberhub/oauth_client_secret"]
    said = _run(tmp_path, *words, command=listing)
    assert said.splitlines() == ["hub 700 /run/cyberhub", "hub 600 /run/cyberhub/oauth_client_secret"]
    assert _run(tmp_path, *words, command=["cat", "/run/cyberhub/oauth_client_secret"]) == "hidden"


def test_the_label_says_which_jupyterhub_is_inside(hub: str) -> None:
    assert inspect(image("hub"))["Config"]["Labels"][labels.JUPYTERHUB] == hub_version()
    assert inside(hub, "python3", "-m", "jupyterhub", "--version") == hub_version()


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("/srv/state", "nothing is mounted at /srv/state"),
        ("/srv/access", "nothing is mounted at /srv/access"),
        ("/srv/homes", "nothing is mounted at /srv/homes"),
        ("/var/run/docker.sock", "there is no Docker socket at /var/run/docker.sock"),
        ("/srv/cyberhub/settings.json", "there are no settings at /srv/cyberhub/settings.json"),
        ("/run/cyberhub", "nothing is mounted at /run/cyberhub; mount a tmpfs there"),
    ],
)
def test_what_is_missing_is_said_in_words(missing: str, said: str, tmp_path: Path) -> None:
    words = mounts(tmp_path)
    pairs = [words[start : start + 2] for start in range(0, len(words), 2)]
    kept = [word for pair in pairs if missing not in pair[1].split(":") for word in pair]
    assert len(kept) == len(words) - 2
    assert refusal(*DROPPED, *RIGHTS, *kept, image("hub")).startswith(f"hub: {said}")


def test_settings_that_the_hub_may_not_read_are_refused_before_it_starts(tmp_path: Path) -> None:
    words = mounts(tmp_path)
    (tmp_path / "settings.json").chmod(0o600)
    assert "may not read /srv/cyberhub/settings.json" in refusal(*DROPPED, *RIGHTS, *words, image("hub"))


def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    words = mounts(tmp_path)
    _run(tmp_path, command=["true"])
    inside_out = ["--volume", f"{tmp_path}:/all", "--entrypoint", "chown", image("hub"), "1234:1234"]
    ENGINE.run("run", "--rm", *inside_out, "/all/homes")
    said = refusal(*DROPPED, *RIGHTS, *words, image("hub"))
    assert "uid 1000 may not write in /srv/homes, which is uid 1234's" in said
    assert "give the folder that is mounted there to 1000:100" in said
    assert (tmp_path / "homes").stat().st_uid == 1234


def test_a_container_that_does_not_start_as_root_is_told_so(tmp_path: Path) -> None:
    assert "must start as root" in refusal("--user", "1000", *mounts(tmp_path), image("hub"))


def _run(folder: Path, *words: str, command: list[str]) -> str:
    return ENGINE.run("run", "--rm", *DROPPED, *RIGHTS, *mounts(folder), *words, image("hub"), *command)
