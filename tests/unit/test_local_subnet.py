"""Networks of this computer's Docker that have the addresses a stack wants are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.clouds.local import subnet_faults

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


@pytest.mark.parametrize("owner", ["my.stack", "v1.2.3", "10.0.0.0/8", "", "with space"])
def test_another_stack_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: str) -> None:
    _docker(
        tmp_path,
        monkeypatch,
        f"bridge\\t\\t172.17.0.0/16 fd00::/64 \\tend\\nother\\t{owner}\\t10.9.0.0/20 \\tend\\n",
    )
    assert subnet_faults("10.8.0.0/20", "test") == []
    assert [fault.key for fault in subnet_faults("10.9.0.0/24", "test")] == ["network.subnet"]


def test_a_stack_keeps_its_own_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _docker(tmp_path, monkeypatch, "cyberhub-my.stack\\tmy.stack\\t10.9.0.0/20 \\tend\\nhost\\t\\t\\tend\\n")
    assert subnet_faults("10.9.0.0/24", "my.stack") == []
