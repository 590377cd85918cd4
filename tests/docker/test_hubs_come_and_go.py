"""Hubs that are added and taken away one after another, while somebody works in another one."""

from __future__ import annotations

import shutil
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from hubconfig.names import Names
from tests.docker.conftest import deployed
from tests.images.building import build_stub, running
from tests.support.deployment import Deployment, docker

NAME = "comego"
HUB: dict[str, Any] = {"auth": {"kind": "sharedPassword"}}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    settings = {"hub": HUB, "hubs": {"pw": HUB}}
    with deployed(NAME, tmp_path_factory.mktemp(NAME), settings) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def server(stack: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of somebody's running server."""
    names = Names(NAME)
    stub = build_stub(tmp_path_factory.mktemp("stub"))
    with running(names.server("hub", "ada"), "--network", names.network, stub):
        yield f"{stack.url}/user/ada/"


class Work:
    """What became of the requests of somebody who works."""

    def __init__(self) -> None:
        self.answered = 0
        self.failed: list[str] = []


def browser() -> requests.Session:
    """A client that keeps its connection, and asks once more where one is closed before any answer.

    Browsers do so (RFC 9110, 9.2.2), and have to: when the proxy takes a new configuration, Go's HTTP server
    closes the connections that are idle, and those whose first request is still under way (DESIGN.md).
    """
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=Retry(connect=0, read=1, status=0, other=0)))
    return session


@contextmanager
def working(url: str, authority: Path) -> Iterator[Work]:
    """Somebody who asks a server ten times a second and has a web socket open, each time the same one."""
    work, ended = Work(), threading.Event()

    def ask() -> None:
        session = browser()
        while not ended.wait(0.1):
            try:
                answer = session.get(url, verify=str(authority), timeout=5)
                answer.raise_for_status()
                work.answered += 1
            except requests.RequestException as error:
                work.failed.append(str(error))

    unchecked = {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    socket = websocket.create_connection(f"{url.replace('https', 'wss')}ws", sslopt=unchecked, timeout=10)
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield work
        time.sleep(5)  # the proxy takes a new configuration within two
        socket.send("still there")
        assert socket.recv() == "still there"
    finally:
        ended.set()
        asking.join()
        socket.close()


@pytest.mark.parametrize("hubs", [("aa", "pw", "zz"), ("pw", "zz"), ("aa", "zz"), ("aa",), ()], ids=" ".join)
def test_hubs_that_come_and_go_interrupt_nobody_elses_work(
    hubs: tuple[str, ...], stack: Deployment, server: str
) -> None:
    proxy = docker("inspect", "--format", "{{.Id}}", stack.container("proxy"))
    stack.set({"hubs": dict.fromkeys(hubs, HUB)})
    with working(server, stack.authority) as work:
        stack.up()
    assert work.failed == []
    assert work.answered > 20
    assert docker("inspect", "--format", "{{.Id}}", stack.container("proxy")) == proxy
    for hub in ("aa", "pw", "zz"):
        answer = requests.get(f"{stack.url}/{hub}/hub/login", verify=str(stack.authority), timeout=10)
        there = answer.status_code == 200 and "Sign in" in answer.text
        assert there == (hub in hubs), (hub, answer.status_code)


def test_a_container_that_somebody_removed_does_not_stop_the_end(stack: Deployment) -> None:
    docker("rm", "--force", Names(NAME).hub("hub"))
    docker("rm", "--force", Names(NAME).server("hub", "ada"))
    stack.destroy()
    assert stack.containers() == []


def test_nor_does_it_when_everything_was_removed(stack: Deployment) -> None:
    stack.up()
    for container in stack.containers():
        docker("rm", "--force", container)
    docker("network", "rm", Names(NAME).network)
    shutil.rmtree(stack.data)
    stack.destroy()
    assert stack.containers() == []
    assert Names(NAME).network not in docker("network", "ls", "--format", "{{.Name}}").split()
