"""A malicious page, whoever looks at it, and what it must not get at."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from hubconfig.names import FIRST_HUB, host_label
from tests.support.browser import Browser, browser
from tests.support.deployment import Deployment

HOST = "hub.cyberhubs.test"
"""Users' hosts are below the hub's own, from where pages may do most: all are of one site."""


def somebody(stack: Deployment, folder: Path) -> AbstractContextManager[Browser]:
    """A person at a browser."""
    return browser(hub_at(stack), stack.authority, folder, f"*.{HOST.partition('.')[2]}")


def hub_at(stack: Deployment) -> str:
    """The hubs' own address."""
    return f"https://{HOST}:{stack.https_port}"


def at(stack: Deployment, user: str, hub: str = FIRST_HUB, domain: str = HOST) -> str:
    """The address of a user's server."""
    path = "/user" if hub == FIRST_HUB else f"/{hub}/user"
    return f"https://{host_label(hub, user)}.{domain}:{stack.https_port}{path}/{user}/"


def looked_at(stack: Deployment, page_of: str, victim: Browser, name: str, domain: str) -> dict[str, str]:
    """What somebody's malicious page has got when the victim has looked at it."""
    told = {"hub": victim.url, "victim": at(stack, name, domain=domain), "name": name}
    victim.driver.get(f"{at(stack, page_of, domain=domain)}plots?{urlencode(told)}")
    victim.until(
        lambda: victim.driver.title == "plots" and victim.find("#loot").text, "the page does nothing"
    )
    loot: dict[str, str] = json.loads(victim.find("#loot").text)
    for window in victim.driver.window_handles[1:]:
        victim.driver.switch_to.window(window)
        victim.driver.close()
    victim.driver.switch_to.window(victim.driver.window_handles[0])
    return loot


def attack(stack: Deployment, page_of: str, victim: Browser, name: str, domain: str = HOST) -> None:
    """The victim looks at the page, which reaches itself and nothing else; nobody has the account."""
    before = tokens_of(victim, name)
    loot = looked_at(stack, page_of, victim, name, domain)
    assert loot.pop("own page").startswith("200 <!doctype html>"), "the attack itself does not work"
    assert loot.pop("blind post") in {"sent blindly, answer: opaque", "refused: TypeError"}
    assert loot.pop("script of the hub") == "undefined"
    planted = loot.pop("cookies")
    assert {name: got for name, got in loot.items() if not got.startswith("refused: ")} == {}
    assert tokens_of(victim, name) == before, planted
    assert victim.driver.current_url == f"{victim.url}/hub/home"
    workers = (
        "const done = arguments[0];"
        "navigator.serviceWorker.getRegistrations().then((found) => done(found.length));"
    )
    assert victim.driver.execute_async_script(workers) == 0


def tokens_of(person: Browser, user: str) -> set[str]:
    """The user's tokens, as the hub's own page gets them."""
    person.open("/hub/home")
    found = fetched(person, f"/hub/api/users/{user}/tokens", "window.jhdata.xsrf_token")
    return {str(each["id"]) for each in found["api_tokens"]}


def kernels_of(person: Browser, user: str) -> set[str]:
    """The kernels that run in a user's server, as its page gets them."""
    found = fetched(person, f"/user/{user}/api/kernels", "document.cookie.match(/_xsrf=([^;]+)/)[1]")
    return {str(each["id"]) for each in found}


def fetched(person: Browser, path: str, token: str) -> Any:
    """What a page gets from its own host.

    :param token: where the page finds what proves that the request is its own, as JavaScript.
    """
    return person.driver.execute_async_script(
        f"const done = arguments[1];"
        f"fetch(arguments[0], {{headers: {{'X-XSRFToken': {token}}}}})"
        f".then((answer) => answer.json()).then(done);",
        path,
    )


def secured(stack: Deployment, name: str) -> bool:
    """Whether a connection under this name gets a certificate."""
    context = ssl.create_default_context(cafile=str(stack.authority))
    with socket.create_connection(("127.0.0.1", stack.https_port), 10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name):
                return True
        except ssl.SSLError:
            return False


def asked(stack: Deployment, path: str) -> int:
    """The status of an answer of the hubs' own host."""
    context = ssl.create_default_context(cafile=str(stack.authority))
    connection = http.client.HTTPSConnection(HOST, stack.https_port, context=context, timeout=10)
    connection.request("GET", path)
    return connection.getresponse().status
