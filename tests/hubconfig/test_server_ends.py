"""A server that ends by itself: the hub hears of it at once, and its user is told why."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientError, web
from docker.errors import NotFound

from hubconfig.labels import labels
from hubconfig.options import Limits
from hubconfig.servers.endings import why_ended
from hubconfig.servers.listening import listen
from hubconfig.servers.menu import Menu
from hubconfig.servers.spawner import Server
from tests.hubconfig.test_configuration import settings

MB = 1024**2


def container(code: int, *, out_of_memory: bool = False) -> dict[str, Any]:
    return {
        "State": {"ExitCode": code, "OOMKilled": out_of_memory},
        "HostConfig": {"Memory": 512 * MB},
    }


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (container(137, out_of_memory=True), "more than its 512 MB of memory"),
        (container(137, out_of_memory=True), "or the machine had none left"),
        (container(137), "killed from outside: by whoever runs the machine, or as the machine had no memory"),
        (container(143), "stopped by whoever runs the machine, or as the machine went down"),
        (container(130), "stopped by whoever runs the machine"),
        (container(127), "could not be run"),
        (container(139), "exit code 139"),
        (container(1), "exit code 1"),
        (None, "was removed by whoever runs the machine"),
    ],
)
def test_a_user_learns_why_the_server_ended(ended: dict[str, Any] | None, words: str) -> None:
    assert words in why_ended(ended)


def test_nothing_is_said_of_a_server_that_its_user_ended() -> None:
    assert why_ended(container(0)) == ""


class Servers:
    """Some users' servers, as the hub knows them; those it was told to look at."""

    def __init__(self, **ready: bool) -> None:
        self.looked_at: list[str] = []
        self.users = {
            name: SimpleNamespace(spawner=SimpleNamespace(ready=is_ready, poll_and_notify=self.look(name)))
            for name, is_ready in ready.items()
        }

    def look(self, name: str) -> Any:
        async def poll_and_notify() -> None:
            self.looked_at.append(name)

        return poll_and_notify


async def heard(servers: Servers, folder: Path, status: int, *names: str) -> dict[str, Any]:
    """Listen to a Docker that tells of the end of these users' servers, then closes; what it was asked."""
    asked: dict[str, Any] = {}

    async def events(request: web.Request) -> web.StreamResponse:
        asked.update(json.loads(request.query["filters"]))
        answer = web.StreamResponse(status=status)
        await answer.prepare(request)
        for name in names:
            event = {"Actor": {"Attributes": {"cyberhubs.user": name}}}
            await answer.write(json.dumps(event).encode() + b"\n")
        return answer

    app = web.Application()
    app.router.add_get("/events", events)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(folder / "docker.sock")).start()
        await listen(servers.users, "group", "hub", folder / "docker.sock")
    finally:
        await runner.cleanup()
    return asked


def test_the_hub_looks_at_a_server_whose_container_ended(tmp_path: Path) -> None:
    servers = Servers(ada=True, grace=True)
    asked = asyncio.run(heard(servers, tmp_path, 200, "grace"))
    assert servers.looked_at == ["grace"]
    assert "cyberhubs.stack=group" in asked["label"], "another stack's servers are none of its business"


def test_the_hub_leaves_alone_what_it_is_stopping_itself_and_whom_it_does_not_know(tmp_path: Path) -> None:
    servers = Servers(ada=False)
    asyncio.run(heard(servers, tmp_path, 200, "ada", "nobody"))
    assert servers.looked_at == []


def test_a_docker_that_refuses_is_an_error_that_the_log_shows(tmp_path: Path) -> None:
    with pytest.raises(ClientError):
        asyncio.run(heard(Servers(), tmp_path, 403))


class Docker:
    """A Docker with one server's container, which has ended, or is gone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: int | None) -> None:
        self.there = code is not None
        self.told = container(code or 0)
        self.told |= {"Id": "123", "Config": {"Labels": labels("test", "user", hub="hub", user="ada")}}
        self.told["State"]["Running"] = False
        self.server = Server.of(settings(), Menu([], Limits(), lambda *_: True), SimpleNamespace())()  # type: ignore[arg-type]  # not asked
        self.server.user = SimpleNamespace(name="ada")
        self.server.object_id = "123"
        monkeypatch.setattr(type(self.server), "docker", self.asked)

    async def asked(self, what: str, *_: Any, **__: Any) -> Any:
        if what.startswith("remove"):
            self.there = False
        elif what == "inspect_container" and not self.there:
            raise NotFound("no such container")
        return self.told


@pytest.mark.parametrize("ended_now", [False, True])
def test_a_server_that_the_hub_ended_for_a_ban_is_not_said_to_have_ended_by_itself(
    ended_now: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = Docker(monkeypatch, 137).server

    async def life() -> Any:
        if ended_now:
            await server.end_now()
        return await server.poll()

    assert asyncio.run(life()) is not None
    assert ("ada" in server.ended) is not ended_now
    assert ("no memory left" in caplog.text) is not ended_now
    assert "not found" not in caplog.text.lower()


@pytest.mark.parametrize(("code", "words"), [(137, "no memory left"), (None, "was removed"), (0, "its user")])
def test_an_end_is_told_once_however_often_the_hub_looks(
    code: int | None, words: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Docker tells of it, and JupyterHub looks by itself, too: at the same time at times."""
    server = Docker(monkeypatch, code).server

    async def look() -> list[Any]:
        return [*await asyncio.gather(server.poll(), server.poll()), await server.poll()]

    assert None not in asyncio.run(look())
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1, warnings
    assert words in warnings[0]


def test_after_a_stop_that_was_asked_for_nothing_is_said_of_the_container(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = Docker(monkeypatch, None).server

    async def life() -> None:
        server._stop_pending = True
        await server.poll()
        server._stop_pending = False
        server.object_id = ""
        await server.poll()

    asyncio.run(life())
    assert caplog.records == []
    assert server.ended == {}
