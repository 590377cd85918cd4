"""The hub's door, with real connections: many of them leave the hub what its own work takes."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from hubconfig import door
from hubconfig.auth_options import SharedPasswordAuth
from hubconfig.options import HubOptions
from tests.hubconfig.running_hub import Browser, RunningHub, alive, eventually, running_hub

FILES = 700
"""Descriptors that the hub has in these tests."""

CROWD = FILES - door.RESERVE + 40
"""More than the hub takes, and no more than then wait in the kernel's queue (128)."""

WITHIN_S = 5.0
"""What an administrator is promised of a ban."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    options = HubOptions(auth=SharedPasswordAuth(kind="sharedPassword"))
    with running_hub(tmp_path_factory.mktemp("door"), options) as hub:
        assert hub.process
        resource.prlimit(hub.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        yield hub


@contextmanager
def crowd(hub: RunningHub, says: bytes = b"") -> Iterator[None]:
    """Many connections, each of which asks for nothing, or not to the end."""
    with ExitStack() as held:
        for _ in range(CROWD):
            one = held.enter_context(socket.create_connection(("127.0.0.1", hub.port), 10))
            one.sendall(says)
        yield


def descriptors(hub: RunningHub) -> int:
    assert hub.process
    return len(list(Path(f"/proc/{hub.process.pid}/fd").iterdir()))


def server_of(hub: RunningHub, name: str) -> int:
    """The process of somebody's server."""
    browser = Browser(hub)
    assert browser.sign_in_with_password(name, "the-shared-password").ok
    browser.api("POST", f"/users/{name}/server")
    eventually(lambda: hub.ready(name), 30)
    return hub.pid(name)


@pytest.mark.parametrize(
    "says", [b"", b"GET /hub/login HT", b"POST /hub/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"]
)
def test_a_ban_holds_within_seconds_while_its_target_takes_all_connections(
    hub: RunningHub, says: bytes
) -> None:
    name = f"caught-{len(says)}"
    pid = server_of(hub, name)
    with crowd(hub, says):
        eventually(lambda: descriptors(hub) >= FILES - door.RESERVE, 10, "the attack does not take many")
        begun = time.monotonic()
        hub.put("blist", f"{name}\n")
        eventually(lambda: not alive(pid), 30, "her server runs on")
        assert time.monotonic() - begun < WITHIN_S
        assert descriptors(hub) < FILES - door.RESERVE + 50
    hub.put("blist", "")


def test_when_the_crowd_is_gone_everybody_is_served_again(hub: RunningHub) -> None:
    with crowd(hub):
        eventually(lambda: descriptors(hub) >= FILES - door.RESERVE, 10, "the attack does not take many")
        with pytest.raises(requests.exceptions.RequestException):
            requests.get(f"{hub.url}/hub/health", timeout=1)
    assert requests.get(f"{hub.url}/hub/health", timeout=10).ok


def test_a_crowd_does_not_flood_the_log(hub: RunningHub) -> None:
    before = len(hub.log)
    with crowd(hub):
        eventually(lambda: descriptors(hub) >= FILES - door.RESERVE, 10, "the attack does not take many")
        time.sleep(2)
    new = hub.log[before:]
    assert new.count("new ones wait until some are closed") <= 1
    assert len(new.splitlines()) < 50


def test_a_large_body_is_refused_before_it_is_read(hub: RunningHub) -> None:
    """Users' servers reach the hub without the proxy."""
    with socket.create_connection(("127.0.0.1", hub.port), 10) as one:
        one.sendall(
            f"POST /hub/login HTTP/1.1\r\nHost: x\r\nContent-Length: {door.LARGEST_BODY + 1}\r\n\r\n".encode()
        )
        answer = one.recv(1000)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413")) or answer == b""
