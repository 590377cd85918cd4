"""When `make up` compares the state with what is there."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.engine import Engine
from infra.site.gone import gone
from infra.site.orphans import tell_of_gone
from tools.stacks import recovery, status
from tools.stacks.deployed import Deployed
from tools.toolchain.console import Problem


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
        monkeypatch.setattr(recovery, "missing", lambda _: [])
        assert recovery.must_refresh("arbutus") is refresh


def test_the_local_stacks_engine_is_always_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deployed(monkeypatch, tmp_path, answers=False)
    assert recovery.must_refresh("local")


def test_what_is_gone_is_looked_for_even_though_the_hub_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(monkeypatch, tmp_path, answers=True, gone=["image cyberhubs/corehub:abc"])
    assert recovery.must_refresh("local")
    assert "Gone from the machine, and made again: image cyberhubs/corehub:abc" in capsys.readouterr().out
    deployed(monkeypatch, tmp_path, answers=True)
    assert not recovery.must_refresh("local")


def test_containers_let_go_of_a_folder_that_was_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(monkeypatch, tmp_path / "removed", answers=True)
    said = []

    def docker(_: Deployed, *words: str) -> str:
        said.append(words)
        role = words[words.index("--filter") + 3].rpartition("=")[2] if words[0] == "ps" else ""
        return {"hub": "local-hub", "user": "local-user-ada", "proxy": "local-proxy"}.get(role, "")

    monkeypatch.setattr(Deployed, "docker", docker)
    recovery.must_refresh("local")
    assert said[-1] == ("rm", "--force", "--volumes", "local-user-ada", "local-hub", "local-proxy")
    assert f"{tmp_path}/removed is gone" in capsys.readouterr().out


def deployed(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *, answers: bool, gone: Sequence[str] = ()
) -> None:
    found = {"url": "https://localhost:8443", "dataDir": str(folder)}
    monkeypatch.setattr(Deployed, "find", lambda name: Deployed(name, found))
    monkeypatch.setattr(status, "answers", lambda _: answers)
    monkeypatch.setattr(recovery, "missing", lambda _: [*gone])


def test_a_machine_that_cannot_be_asked_is_for_pulumi_to_tell_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(monkeypatch, tmp_path, answers=True)

    def fail(_: Deployed) -> list[str]:
        raise Problem("Docker does not say what it has: permission denied")

    monkeypatch.setattr(recovery, "missing", fail)
    assert not recovery.must_refresh("local")
    monkeypatch.setattr(status, "missing", fail)
    monkeypatch.setattr(Deployed, "hubs", lambda _: [])
    with pytest.raises(Problem, match="exclamation mark"):
        status.show("local")
    said = capsys.readouterr().out
    assert "! what is there" in said
    assert "permission denied" in said


CONTAINER, NETWORK, IMAGE = (
    "docker:index/container:Container",
    "docker:index/network:Network",
    "docker:index/remoteImage:RemoteImage",
)

STATE: list[Mapping[str, Any]] = [
    {"type": "pulumi:pulumi:Stack"},
    {"type": CONTAINER, "outputs": {"id": "c1", "name": "local-hub"}},
    {"type": NETWORK, "outputs": {"id": "n1", "name": "local"}},
    {
        "type": IMAGE,
        "outputs": {"id": "sha256:1cyberhubs/hub:a", "imageId": "sha256:1", "name": "cyberhubs/hub:a"},
    },
    {"type": IMAGE, "outputs": {"id": "x", "imageId": "sha256:2", "name": "you/course:1"}},
    {"type": "aws:ec2/instance:Instance", "outputs": {"id": "i-1"}},
]


class Having(Engine):
    """An engine with these things."""

    def __init__(self, *things: str) -> None:
        super().__init__()
        self.__dict__["things"] = things

    def run(self, *words: str, seconds: int = 0, text: str | None = None) -> str:
        assert "--no-trunc" in words
        first = {"ps": "c", "network": "n", "image": "sha256:"}[words[0]]
        return "\n".join(each for each in self.__dict__["things"] if each.startswith(first))


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        (["c1", "n1", "sha256:1", "sha256:2"], []),
        (["c1", "n1", "sha256:1"], ["image you/course:1"]),
        (["c1", "c2", "sha256:1", "sha256:2"], ["network local"]),
        ([], ["container local-hub", "image cyberhubs/hub:a", "image you/course:1", "network local"]),
    ],
)
def test_whatever_was_removed_is_named(there: Sequence[str], missing: Sequence[str]) -> None:
    assert gone([Having(*there)], STATE) == missing


def test_an_image_that_is_sent_may_be_on_either_computer() -> None:
    assert gone([Having("c1", "n1", "sha256:1"), Having("sha256:2")], STATE) == []
    assert "container local-hub" in gone([Having(), Having("c1")], STATE)


def test_pulumis_own_up_says_what_makes_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", told.append)
    monkeypatch.setattr("pulumi.get_stack", lambda: "arbutus")
    tell_of_gone([Having("c1", "n1", "sha256:1")], STATE)
    assert "gone from the machine: image you/course:1" in told[0]
    assert "`pulumi up --refresh`, or `make up STACK=arbutus`" in told[0]
