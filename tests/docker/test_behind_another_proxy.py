"""An institute's nginx ends TLS; the hub's own proxy is reached by plain http, and by nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import websocket

from infra.site.addresses import addresses
from tests.docker.conftest import deployed
from tests.hubconfig.provider import CLIENT_ID, CLIENT_SECRET, Provider, provider
from tests.images.building import base_image, build, running
from tests.support.authority import pair
from tests.support.deployment import Deployment
from tests.support.hosts import known_here
from tests.support.ports import free_ports
from tests.support.visitor import Visitor

NAME = "behind"
HOST = "hub.institute.test"

NGINX = """\
events {{}}
http {{
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  access_log off;
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name {host};
    ssl_certificate /pair/{name}.crt;
    ssl_certificate_key /pair/{name}.key;
    client_max_body_size 0;
    location / {{
      proxy_pass http://127.0.0.1:{behind};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }}
  }}
}}
"""
"""As short as people write it: nothing tells the hub of https or of the name."""


@dataclass(frozen=True)
class Site:
    """A hub, the address that browsers use, and the certificate that is shown there."""

    stack: Deployment
    url: str
    certificate: Path


@pytest.fixture(scope="module", autouse=True)
def name_of_the_hub() -> Iterator[None]:
    """The machine knows the hub's name, as a DNS record would tell."""
    with known_here(HOST):
        yield


@pytest.fixture(scope="module")
def github() -> Iterator[Provider]:
    # The hub reaches the machine by its network's gateway, which is there once the network is.
    with provider(addresses(None, NAME).gateway, listen_on="0.0.0.0") as server:
        server.account("Ada", 1)
        yield server


@pytest.fixture(scope="module")
def site(github: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp(NAME)
    (port,) = free_ports(1)
    url = f"https://{HOST}:{port}"
    settings = {
        "web": {"tls": {"kind": "none"}, "publicUrl": url},
        "hub": {"auth": {"kind": "github", "url": github.url, "apiUrl": github.url}},
    }
    secrets = {"oauthClientId": CLIENT_ID, "oauthClientSecret": CLIENT_SECRET}
    # Nothing leads to that address yet, and `up` ends all the same.
    with deployed(NAME, folder / "stack", settings, **secrets) as stack:
        certificate, _ = pair(folder, "institute", HOST)
        written = NGINX.format(port=port, host=HOST, name="institute", behind=stack.http_port)
        (folder / "nginx.conf").write_text(written)
        (folder / "Dockerfile").write_text(
            "ARG BASE\nFROM $BASE\nRUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install"
            " -y -qq --no-install-recommends nginx-light\n"
        )
        (folder / "context").mkdir()
        (folder / "Dockerfile").rename(folder / "context/Dockerfile")
        build("cyberhubs/nginx-of-the-tests", folder / "context", BASE=base_image())
        words = ["--network", "host", "--volume", f"{folder}:/pair:ro", "cyberhubs/nginx-of-the-tests"]
        words += ["nginx", "-c", "/pair/nginx.conf", "-g", "daemon off;"]
        with running("behind-nginx", *words):
            made = Site(stack, url, certificate)
            reached(made)
            yield made


def reached(site: Site) -> None:
    """Wait until the other proxy leads to the hub."""
    deadline = time.monotonic() + 30
    while True:
        try:
            if requests.get(f"{site.url}/hub/health", verify=str(site.certificate), timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        assert time.monotonic() < deadline, site.stack.trouble()
        time.sleep(0.2)


@pytest.fixture(scope="module")
def ada(site: Site) -> Visitor:
    """Somebody who has signed in with GitHub, and has come back to the address that browsers use."""
    person = Visitor(site.url, site.certificate)
    there = person.session.get(
        f"{site.url}/hub/oauth_login?next=/hub/home", timeout=60, allow_redirects=False
    )
    away = there.headers["Location"]
    assert parse_qs(urlsplit(away).query)["redirect_uri"] == [f"{site.url}/hub/oauth_callback"]
    back = requests.get(f"{away}&login=Ada", allow_redirects=False, timeout=10).headers["Location"]
    page = person.session.get(back, timeout=60)
    assert page.url == f"{site.url}/hub/home"
    return person


def test_addresses_that_are_printed_are_those_that_browsers_use(site: Site) -> None:
    found = site.stack.outputs()
    assert found["url"] == site.url
    assert found["callbackUrl"] == f"{site.url}/hub/oauth_callback"


def test_somebody_signs_in_starts_a_server_and_talks_to_a_kernel(site: Site, ada: Visitor) -> None:
    ada.start("ada", "corehub")
    server = f"{site.url}/user/ada"
    ada.session.get(f"{server}/lab", timeout=60).raise_for_status()
    token = next(
        each.value for each in ada.session.cookies if (each.name, each.path) == ("_xsrf", "/user/ada/")
    )
    headers = {"X-XSRFToken": token or "", "Sec-Fetch-Mode": "cors", "Origin": site.url}
    kernel = ada.session.post(f"{server}/api/kernels", json={}, headers=headers, timeout=60)
    assert kernel.status_code == 201, kernel.text
    cookies = "; ".join(f"{each.name}={each.value}" for each in ada.session.cookies if each.path != "/hub/")
    where = f"wss://{HOST}:{urlsplit(site.url).port}/user/ada/api/kernels/{kernel.json()['id']}/channels"
    trust = {"ca_certs": str(site.certificate)}
    talk = websocket.create_connection(where, sslopt=trust, cookie=cookies, origin=site.url, timeout=60)
    assert talk.getstatus() == 101
    talk.close()
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        websocket.create_connection(
            where, sslopt=trust, cookie=cookies, origin="https://evil.test", timeout=60
        )


def test_every_cookie_is_for_https_alone(ada: Visitor) -> None:
    kept: list[Any] = list(ada.session.cookies)
    assert {"jupyterhub-hub-login", "jupyterhub-session-id", "_xsrf"} <= {each.name for each in kept}
    assert all(each.secure for each in kept), kept


def test_nobody_is_sent_to_an_address_that_browsers_do_not_know(site: Site, ada: Visitor) -> None:
    for path in ("/", "/hub", "/hub/spawn", "/user/nobody/lab", "/user/ada"):
        page = ada.session.get(site.url + path, timeout=60, allow_redirects=False)
        where = urlsplit(page.headers.get("Location", "/"))
        assert (where.scheme, where.netloc) in {("", ""), ("https", urlsplit(site.url).netloc)}, path


def test_another_up_changes_nothing_and_does_not_wait(site: Site) -> None:
    begun = time.monotonic()
    assert set(site.stack.up()) == {"unchanged"}
    assert time.monotonic() - begun < 60
