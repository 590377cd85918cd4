"""Somebody signed in opens a link to a page of another user's server, at the hub's own host.

What the page may still do at the visitor's *own server* is told in docs/access.md: for that, users need hosts
of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from hubconfig.container import SERVER_PORT, UID
from hubconfig.names import FIRST_HUB, Names
from tests.docker.conftest import deployed
from tests.images.building import DROPPED, image, running
from tests.support.browser import Browser, browser
from tests.support.deployment import Deployment

NAME = "oneclick"
MENU = [{"name": "corehub", "title": "Corehub", "build": "corehub", "memoryMb": 768}]
HUB: dict[str, Any] = {"auth": {"kind": "sharedPassword"}, "admins": ["grace"], "menu": MENU}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(NAME, tmp_path_factory.mktemp(NAME), {"hub": HUB, "hubs": {"astro": HUB}}) as made:
        yield made


@pytest.fixture(scope="module")
def trap(stack: Deployment) -> Iterator[str]:
    """The path of Mallory's page: her server is a program of her own."""
    program = Path(__file__).with_name("one_click.py").read_text()
    names = Names(NAME)
    words = ["--init", "--network", names.network, *DROPPED, "--user", f"{UID}", "--entrypoint", "python3"]
    server = names.server(FIRST_HUB, "mallory")
    with running(server, *words, image("hub"), "-c", program, f"{SERVER_PORT}"):
        yield "/user/mallory/plots"


@pytest.fixture(params=["bob", "grace"], ids=["a user", "an admin"])
def victim(
    request: pytest.FixtureRequest, stack: Deployment, tmp_path: Path
) -> Iterator[tuple[str, Browser]]:
    """Somebody signed in, at a browser."""
    name = request.param
    with browser(stack.url, stack.authority, tmp_path) as person:
        password = stack.outputs()["adminPassword" if name == "grace" else "sharedPassword"]
        person.sign_in_with_password(name, password)
        yield name, person


def token_of(person: Browser) -> str:
    """What the hub knows its own forms by, as its own page has it."""
    person.open("/hub/home")
    token = person.driver.execute_script("return window.jhdata.xsrf_token")
    assert token, "the hub's pages have none any more"
    return str(token)


def tokens_made(person: Browser, name: str) -> Any:
    """The tokens of an account, as the hub's own page gets them."""
    person.open("/hub/home")
    answer = person.driver.execute_async_script(
        "const done = arguments[1];"
        "fetch(arguments[0], {headers: {'X-XSRFToken': window.jhdata.xsrf_token}})"
        ".then((answer) => answer.json()).then(done);",
        f"/hub/api/users/{name}/tokens",
    )
    return answer["api_tokens"]


def test_one_click_gives_nothing_of_the_account_away(
    stack: Deployment, trap: str, victim: tuple[str, Browser]
) -> None:
    name, person = victim
    token, before = token_of(person), tokens_made(person, name)
    person.open(f"{trap}?{urlencode({'base': '/', 'victim': name})}")
    person.until(lambda: person.find("#loot").text, "the page does nothing")
    loot: dict[str, str] = json.loads(person.find("#loot").text)
    assert len(loot) > 200
    # The attack works, as far as it concerns only its own path.
    assert loot.pop("worker of mine") == f"registered {stack.url}/user/mallory/"
    for way, said in loot.items():
        assert token not in said, way
        assert "jhdata" not in said, way
        assert not (way.startswith("fetch") and "<script" in said), way
        assert not (way.startswith("worker") and "registered" in said), way
        assert not way.startswith("window") or said.startswith("refused"), way
    assert "403" in loot["fetch 0 of home"]
    assert loot["blind token"].startswith("403 ")
    # Its own, of which it had meant both for others.
    assert loot["cookies of the hub's paths"] == "planted=1; planted-for-hub=1"
    kept = {cookie["name"]: cookie for cookie in person.driver.get_cookies()}
    assert kept["planted"]["path"] == kept["planted-for-hub"]["path"] == "/user/mallory/"
    # Nobody is signed out by it either.
    assert token_of(person) == token
    assert tokens_made(person, name) == before


def test_the_hubs_own_pages_go_on_working(stack: Deployment, victim: tuple[str, Browser]) -> None:
    name, person = victim
    person.open("/hub/token")
    person.find("#request-token-form button[type=submit]").click()
    person.until(
        lambda: re.fullmatch(r"[0-9a-f]{32,}", person.find("#token-result").text), "no token is made"
    )
    if name == "grace":
        person.open("/hub/admin")
        person.find("[data-testid='user-row-name'], [data-testid^='user-name']")
        person.until(lambda: "bob" in person.text, "the admin page does not list users")


def test_two_hubs_in_one_browser_do_not_spoil_each_others_sessions(stack: Deployment, tmp_path: Path) -> None:
    with browser(f"{stack.url}/astro", stack.authority, tmp_path) as student:
        password = stack.outputs()["sharedPassword"]
        student.sign_in_with_password("eve", password)
        student.choose("corehub")
        student.wait_for_lab()
        student.new_notebook()
        lab = student.driver.current_window_handle
        assert saved(student) == 201
        student.driver.switch_to.new_window("tab")
        other = student.driver.current_window_handle
        group = Browser(stack.url, student.driver)
        group.sign_in_with_password("eve", password)
        student.driver.switch_to.window(lab)
        assert saved(student) == 200
        student.driver.switch_to.window(other)
        group.sign_out()
        student.driver.switch_to.window(lab)
        assert saved(student) == 200
        student.open("/hub/home")
        assert "eve" in student.text


def saved(student: Browser) -> int:
    """The status with which a server answers its own page that saves a file."""
    status = student.driver.execute_async_script(
        "const done = arguments[0], token = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)[1];"
        "const body = JSON.stringify({type: 'file', format: 'text', content: 'x'});"
        "fetch('/astro/user/eve/api/contents/x.txt', {method: 'PUT', headers: {'X-XSRFToken': token}, body})"
        ".then((answer) => done(answer.status));"
    )
    return int(status)
