"""Asking an engine over SSH."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from infra import engine
from infra.engine import (
    Engine,
    EngineError,
    RefusedKeyError,
    StrangerError,
    UnreachableError,
    local_engine,
)
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


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        ("u@hub.example.org: Permission denied (publickey).", RefusedKeyError, "does not accept our key"),
        ('Load key "/keys/k": error in libcrypto', RefusedKeyError, "does not accept our key"),
        ("Host key verification failed.", StrangerError, "is not our machine"),
        ("Connection timed out", UnreachableError, "cannot be reached"),
    ],
)
def test_who_does_not_let_us_in_is_told_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, error: type[Exception], told: str
) -> None:
    machine = fake_ssh(tmp_path, monkeypatch, f"echo '{words}' >&2; exit 255")
    with pytest.raises(error, match=rf"hub\.example\.org {told}|at hub\.example\.org {told}") as caught:
        machine.run("ps")
    assert words in str(caught.value)


@pytest.mark.parametrize("key", ["/keys/my key", "/keys/ada's", '/keys/"x"', "/keys/$HOME"])
def test_the_line_for_people_is_read_by_a_shell_as_it_was_meant(key: str) -> None:
    command = Ssh(user="u", key_file=key, host_key="ssh-ed25519 AAAA").command("192.0.2.7", "echo", "a b")
    assert shlex.split(shlex.join(command)) == command
    assert command[command.index("-i") + 1] == key
    assert shlex.split(command[-1]) == ["echo", "a b"]


def test_docker_is_asked_once_where_its_engine_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\necho asked >>{tmp_path}/asked\necho unix:///run/mine.sock\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    engine._address_of_context.cache_clear()
    try:
        assert {local_engine().docker_host for _ in range(3)} == {"unix:///run/mine.sock"}
        assert (tmp_path / "asked").read_text() == "asked\n"
        monkeypatch.setenv("DOCKER_HOST", "tcp://other:2375")
        assert local_engine().docker_host == "tcp://other:2375"
    finally:
        engine._address_of_context.cache_clear()


def test_a_file_reaches_docker_also_where_it_runs_by_sshd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\ncat /dev/stdin; echo "$@"\n')
    docker.chmod(0o755)
    # sshd runs the line in a shell, with a socket as stdin, which nobody can open as a file.
    script = 'for last; do :; done; exec python3 -c "$(cat %s)" "$last"' % (tmp_path / "sshd")
    (tmp_path / "sshd").write_text(
        "import socket, subprocess, sys\n"
        "here, there = socket.socketpair()\n"
        "here.sendall(sys.stdin.buffer.read()); here.shutdown(socket.SHUT_WR)\n"
        "sys.exit(subprocess.run(['sh', '-c', sys.argv[1]], stdin=there).returncode)\n"
    )
    remote = fake_ssh(tmp_path, monkeypatch, script)
    for engine_ in (remote, Engine()):
        assert engine_.run_with_file("the seal\n", "run", "a b") == "the seal\nrun a b"
