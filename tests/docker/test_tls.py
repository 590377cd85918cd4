"""Certificates: an authority's, which is asked for and renewed by itself, and the administrator's own."""

from __future__ import annotations

import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket
from cryptography import x509

from tests.images.building import DROPPED, build_stub, running
from tests.support.authority import Authority, authority, pair
from tests.support.deployment import Deployment, PulumiError, docker
from tests.support.hosts import known_here
from tests.support.visitor import Visitor

NAME = "tls"
HOST = "hub.cyberhubs.test"
DAY_S = 24 * 60 * 60


@dataclass(frozen=True)
class Site:
    """A hub with a name, the authority that it asks, and what is kept of them for browsers."""

    stack: Deployment
    authority: Authority
    root: Path
    """The certificate that a browser trusts."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(NAME)


@pytest.fixture(scope="module", autouse=True)
def name_of_the_hub() -> Iterator[None]:
    """The machine knows the hub's name, as a DNS record would tell."""
    with known_here(HOST):
        yield


@contextmanager
def signed(name: str, folder: Path, *, valid_seconds: int) -> Iterator[Site]:
    """A hub that gets its certificate from an authority, with the stand-in of a user's server."""
    folder.mkdir()
    stack = Deployment(name, folder / "stack", {"hub": {"auth": {"kind": "sharedPassword"}}})
    ports = (stack.http_port, stack.https_port)
    gateway = stack.addresses.gateway
    (folder / "stub").mkdir()
    with authority(folder, gateway, ports, valid_seconds=valid_seconds) as found:
        acme = {"kind": "acme", "directory": found.directory, "directoryCaFile": str(found.directory_ca)}
        stack.set({"web": {"hostname": HOST, "tls": acme}})
        try:
            stack.up()
            stub = build_stub(folder / "stub")
            with running(f"{name}-user-ada", "--network", f"cyberhub-{name}", *DROPPED, stub):
                yield Site(stack, found, found.root(folder))
        finally:
            stack.clean_up()


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    with signed(NAME, folder / NAME, valid_seconds=90 * DAY_S) as found:
        yield found


def shown(site: Site, root: Path, name: str = HOST) -> x509.Certificate:
    """The certificate that a browser is shown, after it has checked it."""
    context = ssl.create_default_context(cafile=str(root))
    with (
        socket.create_connection(("127.0.0.1", site.stack.https_port), 5) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        found = secure.getpeercert(binary_form=True)
    assert found
    return x509.load_der_x509_certificate(found)


def soon(
    site: Site, root: Path, true: Callable[[x509.Certificate], bool], within_s: float, name: str = HOST
) -> None:
    """Until a certificate is shown of which something is true."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            if true(shown(site, root, name)):
                return
        except OSError as error:
            said = str(error)
        else:
            said = "another one is shown"
        assert time.monotonic() < deadline, (
            f"{said}\n{site.authority.log.read_text()}\n{site.stack.trouble()}"
        )
        time.sleep(0.5)


@contextmanager
def talk(site: Site, root: Path) -> Iterator[websocket.WebSocket]:
    """A web socket to a user's server, as a notebook's to its kernel."""
    address = f"wss://{HOST}:{site.stack.https_port}/user/ada/ws"
    opened = websocket.create_connection(address, sslopt={"ca_certs": str(root)}, timeout=10)
    try:
        yield opened
    finally:
        opened.close()


def say(talking: websocket.WebSocket, word: str) -> str:
    talking.send(word)
    return str(talking.recv())


def test_the_authority_signs_the_hubs_name_and_a_browser_is_content(site: Site) -> None:
    soon(site, site.root, lambda found: found.issuer.rfc4514_string().startswith("CN=Pebble"), 30)
    page = requests.get(
        f"{site.stack.url.replace('localhost', HOST)}/hub/login", verify=str(site.root), timeout=10
    )
    assert page.ok
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_second_up_changes_nothing_and_asks_for_nothing(site: Site) -> None:
    before = site.authority.issued()
    assert set(site.stack.up()) == {"unchanged"}
    assert site.authority.issued() == before


def test_a_proxy_that_restarts_keeps_its_certificate_and_its_account(site: Site) -> None:
    before = shown(site, site.root).serial_number
    docker("restart", site.stack.container("proxy"))
    soon(site, site.root, lambda found: found.serial_number == before, 20)
    assert site.authority.accounts() == 1


def test_a_users_own_host_is_signed_once_the_hub_knows_the_user(site: Site) -> None:
    web = site.stack.settings["web"]
    site.stack.set({"web": {**web, "userDomain": HOST}})
    site.stack.up()
    before = site.authority.issued()
    for name in ("ada", "nobody"):
        with pytest.raises(ssl.SSLError):
            shown(site, site.root, f"{name}.{HOST}")
    url = site.stack.url.replace("localhost", HOST)
    Visitor(url, site.root).sign_in("ada", site.stack.outputs()["sharedPassword"])
    soon(site, site.root, lambda _: True, 30, f"ada.{HOST}")
    with pytest.raises(ssl.SSLError):
        shown(site, site.root, f"nobody.{HOST}")
    assert site.authority.issued() == before + 1
    site.stack.set({"web": web})
    site.stack.up()


def test_a_certificate_is_renewed_while_a_kernel_is_talked_to(folder: Path) -> None:
    name, valid_s = f"{NAME}-short", 60
    with signed(name, folder / name, valid_seconds=valid_s) as site:
        # Caddy looks every ten minutes, which is more than a test can wait.
        written = site.stack.data / "cyberhub/proxy/site/Caddyfile"
        written.write_text(written.read_text().replace("{", "{\n\trenew_interval 1s", 1))
        docker("restart", site.stack.container("proxy"))
        soon(site, site.root, lambda _: True, valid_s)
        with talk(site, site.root) as talking:
            before = shown(site, site.root).serial_number
            assert say(talking, "before") == "before"
            soon(site, site.root, lambda found: found.serial_number != before, 2 * valid_s)
            assert say(talking, "after") == "after"


def test_a_certificate_of_ones_own_takes_its_place(site: Site, folder: Path) -> None:
    certificate, key = pair(folder, "first", HOST)
    site.stack.set({"web": own(certificate, key)})
    site.stack.up()
    soon(site, certificate, lambda found: "first" in found.subject.rfc4514_string(), 20)


def own(certificate: Path, key: Path) -> dict[str, Any]:
    """The section of a stack file that names a certificate of the administrator's own."""
    return {
        "hostname": HOST,
        "tls": {"kind": "files", "certificateFile": str(certificate), "keyFile": str(key)},
    }


def test_a_new_certificate_of_ones_own_is_served_without_a_restart(site: Site, folder: Path) -> None:
    proxy = docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", site.stack.container("proxy"))
    with talk(site, folder / "first.crt") as talking:
        assert say(talking, "before") == "before"
        certificate, key = pair(folder, "second", HOST)
        shutil.copy(certificate, folder / "first.crt")
        shutil.copy(key, folder / "first.key")
        assert set(site.stack.up()) == {"unchanged"}
        soon(site, folder / "second.crt", lambda found: "second" in found.subject.rfc4514_string(), 30)
        assert say(talking, "after") == "after"
    assert (
        docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", site.stack.container("proxy")) == proxy
    )


def test_a_pair_that_does_not_match_or_has_ended_is_refused_and_the_old_one_goes_on(
    site: Site, folder: Path
) -> None:
    certificate, _ = pair(folder, "third", HOST)
    _, other = pair(folder, "fourth", HOST)
    site.stack.set({"web": own(certificate, other)})
    with pytest.raises(PulumiError, match=r"web\.tls\.keyFile: is not the certificate's key"):
        site.stack.up()
    site.stack.set({"web": own(*pair(folder, "ended", HOST, days=-2))})
    with pytest.raises(PulumiError, match=r"web\.tls\.certificateFile: ended on"):
        site.stack.up()
    assert "second" in shown(site, folder / "second.crt").subject.rfc4514_string()
