"""The seal and what else keeps a server the hub's own until it runs its user's code."""

from __future__ import annotations

import asyncio
import json
import random
from types import SimpleNamespace
from typing import Any

import pytest

from hubconfig.labels import labels
from hubconfig.options import Application, Limits
from hubconfig.servers.launch import SEAL
from hubconfig.servers.menu import Menu
from hubconfig.servers.not_started import NotStartedError
from hubconfig.servers.path import safe_path
from hubconfig.servers.seal import (
    FS_IOC32_SETFLAGS,
    FS_IOC_FSSETXATTR,
    FS_IOC_SETFLAGS,
    others,
    profile,
)
from hubconfig.servers.spawner import Server
from hubconfig.servers.watched import Watched
from tests.hubconfig.test_configuration import settings

REFUSED = (FS_IOC_FSSETXATTR, FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS)


def test_all_numbers_but_the_refused_ones_are_allowed() -> None:
    rules = list(others(REFUSED))
    near = [number ^ 1 << bit for number in REFUSED for bit in range(32)]
    for number in (*REFUSED, *near, 0, 0xFFFFFFFF, *(random.getrandbits(32) for _ in range(5000))):
        assert any(number & mask == value for mask, value in rules) is (number not in REFUSED), hex(number)


@pytest.mark.parametrize(
    "call",
    [
        "io_uring_setup",
        "io_uring_enter",
        "io_uring_register",
        "userfaultfd",
        "perf_event_open",
        "bpf",
        "keyctl",
        "add_key",
        "mount",
        "unshare",
        "setns",
        "file_setattr",
        "quotactl_fd",
        "socketcall",
    ],
)
def test_what_is_not_listed_is_refused(call: str) -> None:
    told = json.loads(profile())
    assert told["defaultAction"] == "SCMP_ACT_ERRNO"
    assert not any(call in rule["names"] for rule in told["syscalls"])


@pytest.mark.parametrize("gb", [None, 10.0])
def test_every_server_is_sealed_with_or_without_a_limit(gb: float | None) -> None:
    menu = Menu([Application(name="corehub", title="Core", build="corehub")], Limits(), lambda *_: True)
    server = SimpleNamespace(
        settings=settings(limits={"homeGb": gb}),
        user=SimpleNamespace(name="ada"),
        _labels=dict,
        _git_credentials=dict,
    )
    Server._take(server, menu.choose("ada", {}), "/mnt/ada", {})  # type: ignore[arg-type]  # as much of a server as it takes
    assert SEAL in server.extra_host_config["security_opt"]
    assert server.environment["JUPYTER_RUNTIME_DIR"].startswith("/tmp/")
    assert server.environment["USER"] == server.environment["LOGNAME"] == "ada"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/home/user/.local/bin:/opt/jupyter/bin:/usr/bin", "/opt/jupyter/bin:/usr/bin"),
        ("/home/jovyan/bin:/opt/conda/bin", "/opt/conda/bin"),
        (":.:bin:/usr/bin:", "/usr/bin"),
        ("/user/bin:/users/bin:/usr/bin", "/users/bin:/usr/bin"),
        ("/usr/../home/user/bin:/tmp/x:/bin", "/bin"),
        ("/home/user", "/usr/local/bin:/usr/bin:/bin"),
    ],
)
def test_nothing_that_a_user_can_write_is_on_the_servers_path(path: str, kept: str) -> None:
    assert safe_path([f"PATH={path}", "LANG=C"], ["/home/user", "/user"]) == {"PATH": kept}


def test_an_image_without_a_path_gets_none() -> None:
    assert safe_path(["LANG=C"], ["/home/user"]) == {}


def looked_for(given: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch, *, starting: bool) -> Any:
    """What ada's server finds under its container's name, and the errors in the log."""

    async def get_object(_: Any) -> Any:
        return {"Id": "123", "Config": {"Labels": given}, "State": {"Running": True}}

    monkeypatch.setattr(Watched, "inspected", get_object)
    menu = Menu([], Limits(), lambda *_: True)
    server = Server.of(settings(), menu, SimpleNamespace())()  # type: ignore[arg-type]  # homes are not asked
    server.user = SimpleNamespace(name="ada")
    server.object_name, server.object_id = "test-user-ada", "123"
    server._start_pending = starting
    return asyncio.run(server.get_object())


FOREIGN = [
    None,
    {},
    labels("test", "hub", hub="user-ada"),
    labels("test", "user", hub="other", user="ada"),
    labels("another", "user", hub="hub", user="ada"),
    labels("test", "user", hub="hub", user="bob"),
]


@pytest.mark.parametrize("given", FOREIGN)
def test_a_container_that_is_not_the_users_server_is_left_alone(
    given: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NotStartedError, match="something else on this machine has its name"):
        looked_for(given, monkeypatch, starting=True)
    assert looked_for(given, monkeypatch, starting=False) is None
    assert "the container test-user-ada has not the labels of ada's server" in caplog.text


def test_the_users_own_server_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    own = labels("test", "user", hub="hub", user="ada")
    assert looked_for(own, monkeypatch, starting=True)["Id"] == "123"
