"""Users' servers at hosts of their own, as the hub sees them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from jupyterhub.handlers import default_handlers
from jupyterhub.objects import Hub
from traitlets.config import Config

from hubconfig.container import ASKED_FOR_HOSTS
from hubconfig.options import HubOptions
from hubconfig.user_hosts import part_hosts
from tests.hubconfig.running_hub import RunningHub
from tests.hubconfig.test_configuration import settings

DOMAIN = "users.example.org"


@pytest.fixture
def jupyterhub_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told to JupyterHub's own modules is forgotten again."""
    monkeypatch.setattr(Hub, "cookie_name", Hub.cookie_name)
    handlers = list(default_handlers)
    monkeypatch.setattr("hubconfig.user_hosts.default_handlers", handlers)


def parted(name: str = "hub", domain: str | None = DOMAIN) -> Config:
    c = Config()
    base = "" if name == "hub" else f"/{name}"
    wanted = settings(name).model_copy(
        update={"user_domain": domain, "public_url": f"https://hub.example.org:8443{base}"}
    )
    part_hosts(wanted, c)
    return c


def test_without_a_domain_all_stays_at_the_hubs_host(jupyterhub_as_it_was: None) -> None:
    assert parted(domain=None) == Config()


@pytest.mark.parametrize(("hub", "label"), [("hub", "ada"), ("astro", "ada---astro")])
def test_each_user_has_a_host_and_services_have_none(
    jupyterhub_as_it_was: None, hub: str, label: str
) -> None:
    c = parted(hub)
    assert c.JupyterHub.subdomain_host == "https://hub.example.org:8443"
    assert c.JupyterHub.subdomain_hook("ada", "hub.example.org", kind="user") == f"{label}.{DOMAIN}"
    assert c.JupyterHub.subdomain_hook("culler", "hub.example.org", kind="service") == "hub.example.org"


def test_no_page_of_a_users_can_plant_a_session_and_two_hubs_keep_theirs_apart(
    jupyterhub_as_it_was: None,
) -> None:
    assert parted().JupyterHub.cookie_host_prefix_enabled is True
    first = Hub.cookie_name
    parted("astro")
    assert first != Hub.cookie_name


def test_sessions_on_this_computer_go_on_as_no_page_can_plant_any_there(jupyterhub_as_it_was: None) -> None:
    assert parted("astro", domain="localhost").JupyterHub.cookie_host_prefix_enabled is False
    assert Hub.cookie_name == "jupyterhub-hub-login"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    running = RunningHub(
        tmp_path_factory.mktemp("hosts"), HubOptions.model_validate({"auth": {"kind": "sharedPassword"}})
    )
    running.configure(HubOptions.model_validate({"auth": {"kind": "sharedPassword"}}), user_domain=DOMAIN)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def known(hub: RunningHub, host: str) -> int:
    return requests.get(f"{hub.url}/{ASKED_FOR_HOSTS}", params={"domain": host}, timeout=10).status_code


def test_the_hub_knows_the_hosts_of_those_who_have_signed_in(hub: RunningHub) -> None:
    assert known(hub, f"ada.{DOMAIN}") == 404
    hub.browser().sign_in_with_password("ada", "the-shared-password")
    assert known(hub, f"ada.{DOMAIN}") == 200
    for host in ("bob", "ada---astro", "user----ada", "a.ada", "ADA", ""):
        assert known(hub, f"{host}.{DOMAIN}") == 404, host
    for host in ("ada", f"ada.{DOMAIN}.org", f"ada.x{DOMAIN}", DOMAIN):
        assert known(hub, host) == 404, host


def test_the_hub_leads_to_the_users_host(hub: RunningHub) -> None:
    assert hub.api("GET", "/users/ada").json()["name"] == "ada"
    away = requests.get(f"{hub.url}/user/ada/lab?x=1", allow_redirects=False, timeout=10)
    assert away.headers["Location"] == f"{hub.url}/hub/user/ada/lab?x=1"
    assert "extra_handlers" not in hub.log
