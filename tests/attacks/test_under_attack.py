"""A hub that one of its users attacks from their server: others work on, and the ban holds within seconds."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.assailing import ASKING, HALF, IDLE, assailing
from tests.docker.conftest import deployed, quick_menu
from tests.images.building import ENGINE, inside, inspect
from tests.support.deployment import Deployment
from tests.support.git_server import GitServer
from tests.support.visitor import Visitor

NAME = "assailed"

WITHIN_S = 5.0
"""What an administrator is promised of a ban."""

PATIENT_S = 10.0
"""Seconds that somebody may take to sign in meanwhile, attack and hub on the same processors."""


_CAP_SYS_RESOURCE = 24


@pytest.fixture(scope="module")
def hub(git_server: GitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    options = {"auth": {"kind": "sharedPassword"}, "admins": ["grace"], "menu": quick_menu(git_server)}
    with deployed(NAME, tmp_path_factory.mktemp(NAME), {"hub": options}) as stack:
        yield stack


@pytest.fixture(scope="module")
def password(hub: Deployment) -> str:
    return str(hub.outputs()["sharedPassword"])


def _may_raise_limits() -> bool:
    (held,) = re.findall(r"^CapEff:\s*(\w+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return bool(int(held, 16) >> _CAP_SYS_RESOURCE & 1)


def visitor(hub: Deployment, name: str, password: str) -> Visitor:
    someone = Visitor(hub.url, hub.authority)
    someone.sign_in(name, password)
    return someone


def hub_address(hub: Deployment) -> str:
    (network,) = inspect(hub.container("hub"))["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def test_the_hubs_own_containers_have_limits_and_a_second_up_changes_nothing(hub: Deployment) -> None:
    for role in ("hub", "proxy", "fence"):
        given = inspect(hub.container(role))["HostConfig"]
        assert given["Memory"] >= 64 << 20, role
        assert given["MemorySwap"] == 2 * given["Memory"], role
        assert given["PidsLimit"] == 512, role
    changed = {word: number for word, number in hub.refreshed_up().items() if word != "unchanged"}
    assert changed == {}


def test_a_hub_has_as_many_descriptors_as_its_memory_holds_connections(hub: Deployment) -> None:
    first = inspect(hub.container("hub"))["State"]["Pid"]
    process = Path(f"/proc/{first}/task/{first}/children").read_text().split()[0]
    limits = Path(f"/proc/{process}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
    soft, hard = map(int, line.split()[3:5])
    megabytes = inspect(hub.container("hub"))["HostConfig"]["Memory"] >> 20
    assert soft == min(max(4096, megabytes * 8), 65536, hard)


@pytest.mark.parametrize("says", [IDLE, HALF, ASKING], ids=["idle", "half", "asking"])
def test_others_work_and_a_ban_holds_within_seconds(hub: Deployment, password: str, says: str) -> None:
    number = [IDLE, HALF, ASKING].index(says)
    name, server = f"ada{number}", f"{NAME}-user-ada{number}"
    visitor(hub, name, password).start(name, "quick")
    with assailing(server, hub_address(hub), 8081, says):
        begun = time.monotonic()
        bob = visitor(hub, f"bob{number}", password)
        assert time.monotonic() - begun < PATIENT_S
        bob.start(f"bob{number}", "quick")
        begun = time.monotonic()
        hub.put_list("blist", f"{name}\n")
        while server in hub.containers("user"):
            assert time.monotonic() - begun < 30, hub.trouble()
            time.sleep(0.1)
        assert time.monotonic() - begun <= WITHIN_S
        assert bob.is_in()


def test_where_memory_is_short_servers_go_before_the_hub(hub: Deployment, password: str) -> None:
    visitor(hub, "carol", password).start("carol", "quick")
    server = f"{NAME}-user-carol"
    assert _score(server) == 500
    assert all(_score(hub.container(role)) <= 0 for role in ("hub", "proxy", "fence"))


@pytest.mark.skipif(
    not _may_raise_limits(), reason="this machine's Docker lacks the right to keep a score up"
)
def test_nobody_in_a_server_changes_that(hub: Deployment, password: str) -> None:
    visitor(hub, "carol", password).start("carol", "quick")
    said = inside(
        f"{NAME}-user-carol", "sh", "-c", "{ echo 0 >/proc/self/oom_score_adj || echo refused; } 2>&1"
    )
    assert said.endswith("refused")


def _score(container: str) -> int:
    pid = inspect(container)["State"]["Pid"]
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def test_an_update_that_only_changes_limits_replaces_nothing(hub: Deployment) -> None:
    """As on a machine that was given more memory."""
    before = inspect(hub.container("hub"))["Id"]
    ENGINE.run("update", "--memory", "256m", "--memory-swap", "512m", hub.container("hub"))
    assert hub.refreshed_up()["updated"] >= 1
    after = inspect(hub.container("hub"))
    assert after["Id"] == before
    assert after["HostConfig"]["Memory"] >= 512 << 20
