"""Sign-in with GitHub, lists that act at once, and what a user's server cannot reach; one stack for all."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubconfig.access.lists import EMPTY_SETTLE_S
from infra.site.addresses import addresses
from tests.docker.conftest import deployed
from tests.hubconfig.provider import CLIENT_ID, CLIENT_SECRET, Provider, provider
from tests.support.browser import Browser, browser
from tests.support.deployment import Deployment, PulumiError, docker

NAME = "gate"

SOON_S = 5.0
"""What an administrator is promised: a banned person is out within this time."""


@pytest.fixture(scope="module")
def github() -> Iterator[Provider]:
    # The hub reaches the machine by its network's gateway, which is there once the network is.
    with provider(addresses(None, NAME).gateway, listen_on="0.0.0.0") as server:
        for number, login in enumerate(("Ada", "grace", "mallory", "bob-o"), start=1001):
            server.account(login, number)
        yield server


@pytest.fixture(scope="module")
def hub(github: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    options = {
        "auth": {"kind": "github", "url": github.url, "apiUrl": github.url},
        "admins": ["grace"],
        "culling": {"idleMinutes": 0},
    }
    folder = tmp_path_factory.mktemp(NAME)
    secrets = {"oauthClientId": CLIENT_ID, "oauthClientSecret": CLIENT_SECRET}
    with deployed(NAME, folder, {"hub": options}, **secrets) as deployment:
        yield deployment


@pytest.fixture
def person(hub: Deployment, tmp_path: Path) -> Iterator[Browser]:
    """Somebody new at a browser; lists are empty."""
    empty_lists(hub)
    with browser(hub.url, hub.authority, tmp_path) as opened:
        yield opened


def empty_lists(hub: Deployment) -> None:
    """Empty both lists, and wait until that counts: for a wlist it must last."""
    for name in ("wlist", "blist"):
        file = hub.access() / name
        if file.exists() and file.read_text():
            hub.put_list(name, "")
            time.sleep(EMPTY_SETTLE_S + 1)


def test_without_client_id_and_secret_nothing_is_deployed(tmp_path: Path) -> None:
    deployment = Deployment("nosecret", tmp_path / "nosecret", {"hub": {"auth": {"kind": "github"}}})
    try:
        with pytest.raises(PulumiError) as caught:
            deployment.up()
        assert "oauthClientId: is required" in str(caught.value)
        assert "oauthClientSecret: is required" in str(caught.value)
        assert deployment.containers() == []
    finally:
        deployment.clean_up()


def test_everybody_with_an_account_gets_in_while_all_lists_are_empty(
    hub: Deployment, person: Browser
) -> None:
    person.sign_in_with_github("Ada")
    person.until(lambda: "ada" in person.text, "she is not in")
    assert hub.outputs()["callbackUrl"] == f"{hub.url}/hub/oauth_callback"


def test_only_those_listed_get_in_and_the_page_says_why(hub: Deployment, person: Browser) -> None:
    hub.put_list("wlist", "# the group\r\nADA\r\n")
    person.sign_in_with_github("mallory")
    person.until(lambda: "mallory is not on the list" in person.text, "no refusal")
    person.picture("refused")
    person.driver.delete_all_cookies()
    person.sign_in_with_github("Ada")
    person.until(lambda: "ada" in person.text, "she is listed and not in")


def test_a_banned_person_with_a_running_kernel_is_out_at_once(hub: Deployment, person: Browser) -> None:
    person.sign_in_with_github("mallory")
    person.choose("corehub")
    person.wait_for_lab()
    person.new_notebook()
    person.run("print('still', 'here')", expect="still here")
    server = f"{NAME}-user-mallory"
    assert server in hub.containers("user")
    begun = time.monotonic()
    hub.put_list("blist", "Mallory\n")
    while server in hub.containers("user"):
        assert time.monotonic() - begun < 30, hub.trouble()
        time.sleep(0.1)
    took = time.monotonic() - begun
    assert took <= SOON_S, f"the server was gone after {took:.1f} s"
    person.open("/hub/home")
    person.until(lambda: "/hub/login" in person.driver.current_url, "the session goes on")
    person.sign_in_with_github("mallory")
    person.until(lambda: "mallory is blocked on this hub" in person.text, "back in though banned")
    hub.put_list("blist", "")
    person.driver.delete_all_cookies()
    person.sign_in_with_github("mallory")
    person.until(lambda: "mallory" in person.text, "not in though the ban is over")


def test_somebody_else_who_took_over_a_name_does_not_get_in(hub: Deployment, person: Browser) -> None:
    hub.put_list("wlist", "bob-o:999\n")
    person.sign_in_with_github("bob-o")
    person.until(lambda: "is not on the list" in person.text, "let in with another id")


def test_when_github_is_down_the_page_says_so(hub: Deployment, github: Provider, person: Browser) -> None:
    github.fault = (503, {"message": "down"})
    try:
        person.open("/hub/login")
        person.find("a[href*=oauth_login]").click()
        person.find("#login").send_keys("Ada")
        person.find("#authorize").click()
        person.until(lambda: "GitHub" in person.text and "again" in person.text, "nothing is said")
        person.picture("github-down")
    finally:
        github.fault = None


def test_no_secret_is_in_the_open(hub: Deployment) -> None:
    for name in hub.containers():
        assert CLIENT_SECRET not in docker("inspect", name)
    assert CLIENT_SECRET not in hub.trouble()
    for file in (hub.folder / "state").rglob("*"):
        if file.is_file():
            assert CLIENT_SECRET.encode() not in file.read_bytes(), file


ATTACKS = {
    "the cloud's metadata": "timeout 3 bash -c '</dev/tcp/169.254.169.254/80'",
    "Docker's socket": "test -e /var/run/docker.sock -o -e /run/docker.sock",
    "the hub's state": "ls /srv/state /run/cyberhub /run/secrets",
    "another user's files": "ls /home/other /srv/homes",
    "another user's server": "timeout 3 bash -c '</dev/tcp/gate-user-grace/8888'",
    "the machine's ssh": "timeout 3 bash -c '</dev/tcp/{gateway}/22'",
    "a port of the machine": "timeout 3 bash -c '</dev/tcp/{gateway}/{provider}'",
    "becoming root": "su -c true </dev/null || sudo -n true || setpriv --reuid 0 true",
    "a capability": "! grep -q 'CapEff:.0000000000000000' /proc/self/status",
    "new privileges": 'test "$(grep NoNewPrivs /proc/self/status | tr -dc 0-9)" != 1',
    "read-only data": "touch /data/x",
    "mounting": "mount -t tmpfs none /mnt",
}


@pytest.fixture(scope="module")
def server(hub: Deployment, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Ada's running container, beside Grace's."""
    empty_lists(hub)
    for login in ("grace", "Ada"):
        with browser(hub.url, hub.authority, tmp_path_factory.mktemp(login)) as each:
            each.sign_in_with_github(login)
            each.choose("corehub")
            each.wait_for_lab()
    return f"{NAME}-user-ada"


@pytest.mark.parametrize("attack", ATTACKS)
def test_from_a_users_server_there_is_no_way_to(
    attack: str, server: str, hub: Deployment, github: Provider
) -> None:
    port = re.search(r":(\d+)$", github.url)
    assert port is not None
    script = ATTACKS[attack].replace("{gateway}", hub.addresses.gateway).replace("{provider}", port[1])
    said = docker("exec", server, "bash", "-c", f"if {script}; then echo REACHED; else echo held; fi 2>&1")
    assert said.splitlines()[-1] == "held", said


def test_a_users_server_reaches_the_hub_and_its_own_files(server: str) -> None:
    docker("exec", server, "bash", "-c", "timeout 5 bash -c '</dev/tcp/gate-hub/8081'")
    docker("exec", server, "bash", "-c", "touch ~/mine /user/shared && rm ~/mine /user/shared")


def test_a_server_has_limits(server: str) -> None:
    assert docker("inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}", server) == (
        "1073741824 1073741824"
    )
    assert docker("inspect", "--format", "{{.HostConfig.PidsLimit}}", server) == "1024"


def test_the_hub_itself_is_not_root(hub: Deployment) -> None:
    for role in ("hub", "proxy"):
        processes = docker("top", hub.container(role), "-eo", "pid,uid,args")
        own = [line.split()[1] for line in processes.splitlines()[1:] if "init" not in line]
        assert set(own) == {"1000"}, processes
