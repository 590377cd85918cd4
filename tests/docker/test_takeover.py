"""A data volume that the version before left: everybody finds what they had."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tornado.web import create_signed_value

from hubconfig.names import FIRST_HUB, Names
from tests.docker.conftest import quick_menu
from tests.support.deployment import Deployment, docker
from tests.support.git_server import GitServer
from tests.support.visitor import Visitor

NAME = "takeover"

VOLUME = Path(__file__).parent / "data" / "volume-of-version-0.1.tar.gz"
"""Made by version 0.1: Ada at the first hub and Bob at the further hub `astro`, each with a thesis and a
server that had run; lists at both. The hubs were stopped, as they are by an update."""

PASSWORD = "a-password-of-then"


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(NAME)
    _unpack(folder)
    return folder


def _unpack(folder: Path) -> None:
    subprocess.run(["tar", "-C", str(folder), "-xpzf", str(VOLUME)], check=True)


@pytest.fixture(scope="module")
def cookie(volume: Path) -> str:
    """What Ada's browser had of her session then."""
    state = volume / "cyberhub/hub/state"
    with sqlite3.connect(state / "jupyterhub.sqlite") as database:
        (identity,) = database.execute("select cookie_id from users where name = 'ada'").fetchone()
    secret = bytes.fromhex((state / "cookie_secret").read_text().strip())
    return create_signed_value(secret, "jupyterhub-hub-login", identity).decode()


@pytest.fixture(scope="module")
def authority(volume: Path) -> bytes:
    return (volume / "cyberhub/proxy/caddy/pki/authorities/local/root.crt").read_bytes()


@pytest.fixture(scope="module")
def stack(git_server: GitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    auth = {"kind": "sharedPassword"}
    hub: dict[str, Any] = {"auth": auth, "admins": ["root"], "menu": quick_menu(git_server), "spaces": []}
    passwords = {"sharedPassword": PASSWORD, "adminPassword": "an-administrators-password-of-then"}
    deployment = Deployment(
        NAME, tmp_path_factory.mktemp("stack"), {"hub": hub, "hubs": {"astro": hub}}, **passwords
    )
    deployment.data.mkdir()
    _unpack(deployment.data)
    try:
        deployment.up()
        yield deployment
    finally:
        deployment.clean_up()


def test_the_certificate_authority_is_the_one_that_browsers_know(stack: Deployment, authority: bytes) -> None:
    assert stack.authority.read_bytes() == authority
    Visitor(stack.url, stack.authority).session.get(f"{stack.url}/hub/login", timeout=60).raise_for_status()


def test_a_session_goes_on(stack: Deployment, cookie: str) -> None:
    ada = Visitor(stack.url, stack.authority)
    assert not ada.is_in()
    ada.session.cookies.set("jupyterhub-hub-login", cookie, domain="localhost.local", path="/hub/")
    assert ada.is_in()


@pytest.mark.parametrize(
    ("path", "name", "home"),
    [("", "ada", "jupyterhub_users/ada"), ("/astro", "bob", "cyberhub/astro/jupyterhub_users/bob")],
)
def test_everybody_finds_their_files(stack: Deployment, path: str, name: str, home: str) -> None:
    visitor = Visitor(f"{stack.url}{path}", stack.authority)
    visitor.sign_in(name, PASSWORD)
    visitor.start(name, "quick")
    server = Names(NAME).server("astro" if path else FIRST_HUB, name)
    sources = docker("inspect", "--format", "{{range .Mounts}}{{.Source}} {{end}}", server).split()
    assert str(stack.data / home) in sources
    assert (stack.data / home / "thesis.txt").read_text() == f"{name}'s thesis\n"


@pytest.mark.parametrize(("path", "name"), [("", "mallory"), ("/astro", "ada")])
def test_the_lists_say_what_they_said(stack: Deployment, path: str, name: str) -> None:
    visitor = Visitor(f"{stack.url}{path}", stack.authority)
    with pytest.raises(requests.HTTPError, match="403"):
        visitor.sign_in(name, PASSWORD)
