"""Asking an engine over SSH."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.engine import Engine, EngineError, UnreachableError
from infra.host import Ssh
from infra.site.orphans import remove_orphans

SSH = Ssh(user="u", key_file="/keys/k", host_key="ssh-ed25519 AAAA", port=2222)


def fake_ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Engine:
    program = folder / "ssh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return Engine(address="hub.example.org", ssh=SSH)


def test_docker_runs_on_the_machine_with_the_one_key_and_the_one_host_key() -> None:
    command = Engine(address="hub.example.org", ssh=SSH).command("ps", "--format", "{{.Names}} x")
    assert command[0] == "ssh"
    assert "StrictHostKeyChecking=yes" in command
    assert command[-2:] == ["u@hub.example.org", "docker ps --format '{{.Names}} x'"]
    assert command[command.index("-p") + 1] == "2222"


def test_a_machine_that_does_not_let_us_in_is_told_from_a_docker_that_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = fake_ssh(tmp_path, monkeypatch, "echo 'No route to host' >&2; exit 255")
    with pytest.raises(UnreachableError, match=r"hub\.example\.org cannot be reached: No route to host"):
        gone.run("ps")
    refusing = fake_ssh(tmp_path, monkeypatch, "echo 'no such container' >&2; exit 1")
    with pytest.raises(EngineError, match="no such container") as caught:
        refusing.run("inspect", "x")
    assert not isinstance(caught.value, UnreachableError)


def test_a_stack_whose_machine_is_gone_can_still_be_taken_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = fake_ssh(tmp_path, monkeypatch, "exit 255")
    assert remove_orphans(gone, "s", set(), {"hub"}) == []
