"""When `make up` compares the state with what is there."""

from __future__ import annotations

import socket

import pytest

from tools.stacks import recovery, status
from tools.stacks.deployed import Deployed


@pytest.mark.parametrize(
    ("hub_answers", "ssh_answers", "refresh"),
    [
        (True, True, False),
        (False, True, True),
        # A machine that is stopped or gone: the refresh would fail, or forget it.
        (False, False, False),
    ],
)
def test_a_machine_is_asked_only_where_it_can_be(
    hub_answers: bool, ssh_answers: bool, refresh: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if not ssh_answers:
            server.close()
        found = {
            "url": "https://127.0.0.1",
            "address": "127.0.0.1",
            "ssh": f"ssh -i key -o BatchMode=yes -p {port} almalinux@127.0.0.1",
            "hostKey": "ssh-ed25519 AAAA",
        }
        monkeypatch.setattr(Deployed, "find", lambda name: Deployed(name, found))
        monkeypatch.setattr(status, "answers", lambda _: hub_answers)
        assert recovery.must_refresh("arbutus") is refresh


def test_the_local_stacks_engine_is_always_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"url": "https://localhost:8443"}
    monkeypatch.setattr(Deployed, "find", lambda name: Deployed(name, found))
    monkeypatch.setattr(status, "answers", lambda _: False)
    assert recovery.must_refresh("local")
