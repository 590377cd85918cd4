"""People of a running hub who are to be put out: their sessions, servers and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import requests

from hubconfig.options import HubOptions
from tests.hubconfig.provider import Provider
from tests.hubconfig.running_hub import Browser, RunningHub, alive, eventually

WITHIN_S = 5.0
"""What the settings promise."""

PATIENCE_S = 60.0
"""For what promises nothing, on a machine that has much else to do."""

PEOPLE = ("ada", "bob", "carol", "deaf-dan", "slow-eve", "fay", "gil", "hal", "root", "ivy", "renamed")


def options(github: Provider, **access: object) -> HubOptions:
    """A hub's options, with people who sign in with GitHub."""
    return HubOptions.model_validate(
        {
            "auth": {"kind": "github", "url": github.url, "apiUrl": github.url},
            "admins": ("root", "hal"),
            "access": access,
        }
    )


@dataclass
class OpenHours:
    """A hub that is open to all for some seconds, with a stranger and somebody listed in it."""

    until: datetime
    stranger: tuple[Browser, int]
    listed: tuple[Browser, int]


def with_server(hub: RunningHub, name: str) -> tuple[Browser, int]:
    """Somebody who is signed in and whose server runs, and the server's process."""
    browser = hub.browser()
    eventually(lambda: browser.sign_in(name).ok, PATIENCE_S)
    assert browser.is_in()
    # The process of a server that was stopped may be gone before the hub is done with it.
    start = f"/users/{name}/server"
    eventually(lambda: browser.api("POST", start).status_code in {201, 202}, PATIENCE_S)
    eventually(lambda: hub.ready(name), PATIENCE_S)
    pid = hub.pid(name)
    assert alive(pid)
    return browser, pid


def token_of(browser: Browser, name: str) -> str:
    """A token that somebody makes for their programs."""
    found: str = browser.api("POST", f"/users/{name}/tokens", json={}).json()["token"]
    return found


def token_works(hub: RunningHub, token: str) -> bool:
    """Whether the hub still takes it."""
    found = requests.get(f"{hub.url}/hub/api/user", headers={"Authorization": f"token {token}"}, timeout=5)
    return found.ok
