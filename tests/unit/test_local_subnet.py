"""Networks of this computer's Docker that have the addresses a stack wants are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.checks import this_computer
from infra.stack.clouds import LocalCloud
from infra.stack.sections import Sections
from infra.stack.settings import Network

_DOCKER = """\
#!/bin/sh
case "$1 $2" in
    "network ls") echo 1 2 ;;
    "network inspect") printf '{lines}' ;;
esac
"""


def _docker(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    program = folder / "docker"
    program.write_text(_DOCKER.replace("{lines}", lines))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")


def told(folder: Path, subnet: str, stack: str) -> list[str]:
    """What is told of a stack on this computer that wants these addresses; its folder and ports are free."""
    cloud = LocalCloud(kind="local", data_dir=str(folder))
    sections = Sections(stack=stack, cloud=cloud, network=Network(subnet=subnet))
    return [fault.key for fault in this_computer.faults(sections)]


@pytest.fixture(autouse=True)
def _ports_that_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_computer, "_free", lambda *_: True)


@pytest.mark.parametrize("owner", ["my.stack", "v1.2.3", "10.0.0.0/8", "", "with space"])
def test_another_stack_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: str) -> None:
    _docker(
        tmp_path,
        monkeypatch,
        f"bridge\\t\\t172.17.0.0/16 fd00::/64 \\tend\\nother\\t{owner}\\t10.9.0.0/20 \\tend\\n",
    )
    assert told(tmp_path, "10.8.0.0/20", "test") == []
    assert told(tmp_path, "10.9.0.0/24", "test") == ["network.subnet"]


def test_a_stack_keeps_its_own_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _docker(tmp_path, monkeypatch, "cyberhub-my.stack\\tmy.stack\\t10.9.0.0/20 \\tend\\nhost\\t\\t\\tend\\n")
    assert told(tmp_path, "10.9.0.0/24", "my.stack") == []
    assert told(tmp_path, "10.9.0.0/24", "mystack") == ["network.subnet"]
