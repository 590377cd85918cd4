"""When `make up` compares the state with what is there."""

from __future__ import annotations

import socket

import pytest

from tools.stacks import recovery, status
from tools.stacks import stack as stacks


@pytest.mark.parametrize(
    ("hub_answers", "ssh_answers", "flag"),
    [
        (True, True, ""),
        (False, True, "--refresh"),
        # A machine that is stopped or gone: the refresh would fail, or forget it.
        (False, False, ""),
    ],
)
def test_a_machine_is_asked_only_where_it_can_be(
    hub_answers: bool, ssh_answers: bool, flag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if not ssh_answers:
            server.close()
        found = {
            "url": "https://127.0.0.1",
            "address": "127.0.0.1",
            "ssh": f"ssh -i key -p {port} almalinux@127.0.0.1",
        }
        monkeypatch.setattr(stacks, "outputs", lambda _: found)
        monkeypatch.setattr(status, "answers", lambda _: hub_answers)
        assert recovery.refresh_flag("arbutus") == flag


def test_the_local_stacks_engine_is_always_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "outputs", lambda _: {"url": "https://localhost:8443"})
    monkeypatch.setattr(status, "answers", lambda _: False)
    assert recovery.refresh_flag("local") == "--refresh"
