"""A link to a page that another user's server sends: it gets at nobody's account, an admin's neither.

In order: each test goes on where the last stopped. The stack is first up without hosts for users, as older
ones are, so that somebody works while they get them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By

from hubconfig.container import SERVER_PORT, UID
from hubconfig.names import FIRST_HUB, Names
from hubconfig.user_hosts import SIGN_OUT_S
from tests.attacks.looking import HOST, asked, at, attack, hub_at, kernels_of, secured, somebody
from tests.docker.conftest import deployed
from tests.images.building import DROPPED, image, running
from tests.support.browser import Browser, browser
from tests.support.deployment import Deployment, docker
from tests.support.hosts import known_here
from tests.support.visitor import Visitor

NAME = "theft"
NAMES = Names(NAME)
CORE = [{"name": "corehub", "title": "Corehub", "build": "corehub", "memoryMb": 768}]
HUB: dict[str, Any] = {"auth": {"kind": "sharedPassword"}, "admins": ["grace"], "menu": CORE}
SECRETS = {
    "sharedPassword": "for-users-of-both-hubs",
    "adminPassword": "for-administrators-of-both-hubs-alone",
}

WITHOUT = {"web": {"hostname": HOST, "userDomain": "none"}, "hub": HUB, "hubs": {"astro": HUB}}
WITH = {"web": {"hostname": HOST, "userDomain": HOST}}
HERE = {"web": {"userDomain": "localhost"}}

SOON_S = 5.0
"""What an administrator is promised: who is banned is out within this time."""


@pytest.fixture(scope="module", autouse=True)
def name_of_the_hub() -> Iterator[None]:
    """The machine knows the hub's name, as a DNS record would tell."""
    with known_here(HOST):
        yield


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(NAME, tmp_path_factory.mktemp(NAME), WITHOUT, **SECRETS) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def bob(stack: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with somebody(stack, tmp_path_factory.mktemp("bob")) as opened:
        yield opened


@pytest.fixture(scope="module")
def mallory(stack: Deployment) -> Iterator[str]:
    """A user whose server is a program of their own; the user's name."""
    Visitor(hub_at(stack), stack.authority).sign_in("mallory", SECRETS["sharedPassword"])
    program = Path(__file__).with_name("malicious.py").read_text()
    words = ["--network", NAMES.network, *DROPPED, "--user", f"{UID}", "--entrypoint", "python3"]
    server = NAMES.server(FIRST_HUB, "mallory")
    with running(server, *words, image("corehub"), "-c", program, f"{SERVER_PORT}"):
        yield "mallory"


def test_somebody_works_while_users_get_hosts_of_their_own(stack: Deployment, bob: Browser) -> None:
    bob.sign_in_with_password("bob", SECRETS["sharedPassword"])
    bob.choose("corehub")
    bob.wait_for_lab()
    assert bob.driver.current_url.startswith(f"{bob.url}/user/bob/")
    bob.new_notebook()
    bob.run("print('no' + 'ted')", expect="noted")
    kernels = kernels_of(bob, "bob")
    assert len(kernels) == 1
    server = docker("inspect", "--format", "{{.Id}}", NAMES.server(FIRST_HUB, "bob"))
    stack.set(WITH)
    stack.up()
    assert docker("inspect", "--format", "{{.Id}}", NAMES.server(FIRST_HUB, "bob")) == server
    bob.sign_in_with_password("bob", SECRETS["sharedPassword"])
    bob.open("/user/bob/lab")  # a bookmark
    bob.wait_for_lab()
    assert bob.driver.current_url.startswith(at(stack, "bob"))
    assert kernels_of(bob, "bob") == kernels


def test_a_second_up_changes_nothing(stack: Deployment) -> None:
    assert set(stack.up()) == {"unchanged"}


def test_a_new_server_is_at_its_users_own_host(stack: Deployment, bob: Browser) -> None:
    def stopped() -> bool:
        # Like a person: a click before the page's scripts are there does nothing.
        for button in bob.driver.find_elements(By.CSS_SELECTOR, "#stop"):
            if button.is_displayed():
                button.click()
        return stack.containers("user") == []

    bob.open("/hub/home")
    bob.until(stopped, "the button does not stop the server")
    bob.choose("corehub")
    bob.wait_for_lab()
    assert bob.driver.current_url.startswith(at(stack, "bob"))
    bob.driver.get(f"{at(stack, 'bob')}lab?reset")  # without the notebook that was open
    bob.wait_for_lab()
    bob.new_notebook()
    bob.run("print('six times seven is', 6*7)", expect="six times seven is 42")


def test_whoever_is_at_two_hubs_has_two_hosts(stack: Deployment, bob: Browser) -> None:
    astro = Browser(f"{bob.url}/astro", bob.driver)
    astro.sign_in_with_password("bob", SECRETS["sharedPassword"])
    astro.choose("corehub")
    astro.wait_for_lab()
    assert bob.driver.current_url.startswith(at(stack, "bob", "astro"))
    astro.new_notebook()
    astro.run("print('the other', 'hub')", expect="the other hub")
    bob.open("/hub/home")
    assert "/hub/home" in bob.driver.current_url, "signing in to one hub ends the session at the other"


def test_a_link_to_another_users_page_takes_nothing_of_a_user(
    stack: Deployment, bob: Browser, mallory: str
) -> None:
    attack(stack, mallory, bob, "bob")
    bob.open("/user/bob/lab")
    bob.wait_for_lab()


def test_nor_of_an_administrator(stack: Deployment, mallory: str, tmp_path: Path) -> None:
    with somebody(stack, tmp_path) as grace:
        grace.sign_in_with_password("grace", SECRETS["adminPassword"])
        attack(stack, mallory, grace, "grace")
        grace.open("/hub/admin")
        grace.until(lambda: "bob" in grace.text, "the page does not list Bob")


def test_the_hubs_own_host_sends_nobody_a_users_page(stack: Deployment, bob: Browser, mallory: str) -> None:
    for path in ("plots", "plots?worker"):
        for place in (f"/user/{mallory}/{path}", f"/hub/user/{mallory}/{path}"):
            bob.open(place)
            assert bob.driver.title != "plots", place
            assert "caught" not in bob.text, place


def test_strangers_have_no_certificate_made_for_a_name_of_theirs(stack: Deployment, bob: Browser) -> None:
    assert bob
    names = ["nobody", "bob---nohub", "user----bob", "nobody---astro", "a.bob", "bob---astro"]
    made = [name for name in names if secured(stack, f"{name}.{HOST}")]
    assert made == ["bob---astro"]
    signed = {each.name for each in (stack.authority.parents[3] / "certificates/local").iterdir()}
    hosts = {f"{name}.{HOST}" for name in ("bob", "bob---astro", "grace", "mallory")}
    assert signed <= {HOST, "localhost", "127.0.0.1", *hosts}


def test_nobody_is_told_by_the_hub_who_its_users_are(stack: Deployment) -> None:
    for path in ("/hub/user-host", "/astro/hub/user-host", "//hub/user-host", "/hub/%75ser-host"):
        answers = {asked(stack, f"{path}?domain={name}.{HOST}") for name in ("bob", "nobody")}
        assert len(answers) == 1, (path, answers)


def test_status_tells_of_servers_as_ever(stack: Deployment) -> None:
    told = stack.tool("status")
    assert "answers (200)" in told.stdout
    assert "bob                         corehub " in told.stdout


def test_a_server_that_is_gone_is_offered_anew_at_the_hub(stack: Deployment, bob: Browser) -> None:
    server = NAMES.server(FIRST_HUB, "bob")
    docker("kill", server)
    bob.until(lambda: server not in stack.containers("user"), "the hub does not notice", within_s=10)
    bob.driver.get(f"{at(stack, 'bob')}lab")
    bob.until(lambda: "Your server was killed from outside" in bob.text, "not told why", within_s=10)
    assert bob.driver.current_url.startswith(f"{bob.url}/hub/user/bob/")
    bob.find("#start").click()
    bob.find("#spawn_form [type=submit]").click()
    bob.wait_for_lab()
    assert bob.driver.current_url.startswith(at(stack, "bob"))


def test_whoever_signs_out_is_out_of_the_server_too(stack: Deployment, bob: Browser) -> None:
    def listed() -> bool:
        bob.driver.get(f"{at(stack, 'bob')}api/contents")
        return '"type"' in bob.driver.page_source

    assert listed()
    bob.sign_out()
    bob.until(lambda: "/hub/login" in bob.driver.current_url or "Successfully" in bob.text, "not out")
    bob.until(lambda: not listed(), "the server goes on for whoever has signed out", within_s=SIGN_OUT_S + 10)
    bob.sign_in_with_password("bob", SECRETS["sharedPassword"])


def test_whoever_is_banned_is_out_within_seconds(stack: Deployment, bob: Browser) -> None:
    server = NAMES.server(FIRST_HUB, "bob")
    bob.open("/user/bob/lab")
    bob.wait_for_lab()
    begun = time.monotonic()
    stack.put_list("blist", "bob\n")
    while server in stack.containers("user"):
        assert time.monotonic() - begun < SOON_S, stack.trouble()
        time.sleep(0.1)
    bob.driver.get(f"{at(stack, 'bob')}lab")
    bob.until(lambda: "/hub/login" in bob.driver.current_url, "the session goes on")


def test_the_same_holds_where_the_hub_is_for_this_computer_alone(
    stack: Deployment, mallory: str, tmp_path: Path
) -> None:
    stack.set(HERE)
    stack.up()
    with browser(stack.url, stack.authority, tmp_path) as eve:
        eve.sign_in_with_password("eve", SECRETS["sharedPassword"])
        attack(stack, mallory, eve, "eve", "localhost")
