"""A hub with a folder of another machine: servers start without it, and see it when it comes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.docker.conftest import deployed, quick_menu
from tests.images.building import log, until
from tests.images.remotes import Keys, shared, silent, ssh_machine
from tests.support.deployment import Deployment, docker
from tests.support.git_server import GitServer
from tests.support.ports import free_ports
from tests.support.visitor import Visitor, found

NAME = "spaces"


@pytest.fixture(scope="module")
def address() -> tuple[str, int]:
    """Where a container finds the other machine: a port of this one."""
    form = "{{(index .IPAM.Config 0).Subnet}}"
    network = ip_network(docker("network", "inspect", "--format", form, "bridge"))
    return str(network[1]), free_ports(1)[0]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.make(tmp_path_factory.mktemp("keys") / "pairs")


@pytest.fixture(scope="module")
def hub(
    git_server: GitServer, keys: Keys, address: tuple[str, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    archive = {
        "kind": "sshfs",
        "name": "archive",
        "remote": f"remote@{address[0]}:/files",
        "port": address[1],
        "hostKey": keys.host_key,
        "mount": "/archive",
        "readOnly": False,
    }
    group = {"name": "group", "source": "group", "mount": "/home/user/projects/shared/group"}
    options = {
        "auth": {"kind": "sharedPassword"},
        "menu": quick_menu(git_server),
        "spaces": [archive, group, {**archive, "name": "far", "mount": "/home/user/far/away"}],
    }
    folder = tmp_path_factory.mktemp(NAME)
    with shared(folder / NAME):
        written_on_windows = "\ufeff" + keys.private_key.replace("\n", "\r\n")
        secrets = {"spaceKeys.archive": written_on_windows, "spaceKeys.far": keys.private_key}
        with deployed(NAME, folder / NAME, {"hub": options}, **secrets) as deployment:
            yield deployment


def archive(user: str) -> str:
    """What a user's server finds in the folder; nothing when it is refused."""
    look = "cat /archive/stars.txt 2>/dev/null || true"
    return docker("exec", f"{NAME}-user-{user}", "sh", "-c", look)


def said(hub: Deployment) -> str:
    """The hub's log."""
    return log(hub.container("hub"))


def started(hub: Deployment, user: str) -> None:
    person = Visitor(hub.url, hub.authority)
    person.sign_in(user, hub.outputs()["sharedPassword"])
    person.start(user, "quick")


def test_a_server_starts_without_the_remote_and_sees_it_when_it_is_there(
    hub: Deployment, keys: Keys, address: tuple[str, int], tmp_path: Path
) -> None:
    started(hub, "ada")
    assert archive("ada") == ""
    (tmp_path / "files").mkdir(mode=0o755)
    shutil.chown(tmp_path / "files", 1000, 100)
    (tmp_path / "files/stars.txt").write_text("Vega")
    place = ["--publish", f"{address[0]}:{address[1]}:22"]
    with ssh_machine("spaces-archive", keys, tmp_path / "files", *place):
        until(lambda: archive("ada") == "Vega", "she sees the file", within_s=90)
        docker("exec", f"{NAME}-user-ada", "sh", "-c", "echo mine >/archive/from-ada.txt")
        assert (tmp_path / "files/from-ada.txt").read_text() == "mine\n"
        with silent("spaces-archive"):
            begun = time.monotonic()
            started(hub, "bob")
            assert time.monotonic() - begun < 30, "the hub waits for the remote"
        until(lambda: archive("bob") == "Vega", "he sees the file", within_s=90)


def test_the_way_to_a_folder_inside_the_home_belongs_to_its_owner(hub: Deployment) -> None:
    places = ["/home/user/projects", "/home/user/projects/shared", "/home/user/far", "/home/user/far/away"]
    owners = docker("exec", f"{NAME}-user-ada", "stat", "-c", "%u:%g", *places).split()
    assert owners == ["1000:100"] * 4
    docker("exec", f"{NAME}-user-ada", "touch", "/home/user/projects/mine", "/home/user/far/mine")
    look = "grep -c ' /home/user/projects/shared/group ' /proc/self/mounts; readlink /home/user/far/away"
    seen = docker("exec", f"{NAME}-user-ada", "sh", "-c", look).split()
    assert seen == ["1", "/srv/spaces/far/remote"]


def test_what_somebody_has_in_the_way_stays_and_their_server_starts(hub: Deployment) -> None:
    home = hub.home("eve")
    (home / "projects").mkdir(parents=True)
    (home / "projects/shared").write_text("mine")
    for place in (home, home / "projects", home / "projects/shared"):
        shutil.chown(place, 1000, 100)
    home.chmod(0o700)
    started(hub, "eve")
    assert (home / "projects/shared").read_text() == "mine"
    assert "something else is at /home/user/projects/shared/group" in said(hub)


def test_an_end_is_told_once_and_a_stop_that_was_asked_for_not_at_all(hub: Deployment) -> None:
    docker("kill", f"{NAME}-user-eve")
    until(lambda: "server of eve ended: Your server was killed from outside" in said(hub), "it is told")
    person = Visitor(hub.url, hub.authority)
    person.sign_in("bob", hub.outputs()["sharedPassword"])
    token = found(r'xsrf_token: "([^"]+)"', person.session.get(f"{hub.url}/hub/home", timeout=60))
    server = f"{hub.url}/hub/api/users/bob/server"
    person.session.delete(server, params={"_xsrf": token}, timeout=60).raise_for_status()
    until(lambda: f"{NAME}-user-bob" not in hub.containers("user"), "it is gone")
    assert said(hub).count("server of eve ended") == 1
    assert "server of bob ended" not in said(hub)
    assert "not found" not in said(hub).lower()


def test_the_key_is_not_in_the_open(hub: Deployment, keys: Keys) -> None:
    secret = keys.private_key.splitlines()[1]
    for container in hub.containers():
        assert secret not in docker("inspect", container)
    for file in (hub.folder / "state").rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file


def test_a_second_up_changes_nothing(hub: Deployment) -> None:
    assert set(hub.up()) == {"unchanged"}


def test_nothing_is_mounted_when_the_stack_is_gone(hub: Deployment) -> None:
    hub.destroy()
    mounts = Path("/proc/self/mountinfo").read_text()
    assert str(hub.data / "cyberhub/spaces") not in mounts
