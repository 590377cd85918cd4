"""Somebody's own machine as a host: checked before anything happens, prepared by the update."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pydantic import TypeAdapter

from infra.clouds.server import ServerMachine
from infra.host import Host
from infra.machine.capacity import Capacity
from infra.stack.clouds import ServerCloud
from tests.unit import engine

READY = "state=done\\ndigest={digest}\\ndocker=28.1.1\\n"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "id_lab"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)
    return file


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts a machine behind an ssh of our own; what it was asked is in the file that is returned."""

    def make(
        *,
        machine_id: str = "0f" * 16,
        memory_mb: int = 7950,
        cpus: int = 4,
        sudo: int = 0,
        code: int = 0,
        words: str = "",
        data: str = "",
        system: str = "taken-debian-12",
    ) -> Path:
        program = tmp_path / "bin" / "ssh"
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            f"""#!/bin/bash
script=$(cat)
printf '%s\\n' "$*" "$script" >>{tmp_path}/asked
echo '{words}' >&2
[ {code} = 0 ] || exit {code}
case $* in *sudo*) [ {sudo} = 0 ] || {{ echo 'sudo: a password is required' >&2; exit {sudo}; }} ;; esac
case $script in
  *MemTotal*) cat {Path(__file__).with_name("systems") / system}; echo '-- end of os-release'
    printf '{machine_id}\\n{memory_mb}\\n{cpus}\\n{data}\\n' ;;
  *state=absent*) if [ -e {tmp_path}/conf ]; then . {tmp_path}/conf; printf "{READY.format(digest="$DIGEST")}"
    else echo state=absent; fi ;;
  *first-boot.conf*) grep -o "echo [A-Za-z0-9+/=]* | base64 -d >/etc/cyberhub" <<<"$script" |
    cut -d' ' -f2 | base64 -d >{tmp_path}/conf ;;
esac
"""
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        monkeypatch.setattr("infra.machine.readiness._PAUSE_SECONDS", 0.01)
        return tmp_path / "asked"

    return make


def settings(key: Path, **others: Any) -> ServerCloud:
    values = {
        "kind": "server",
        "address": "hub.example.org",
        "sshKeyFile": str(key),
        "hostKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA",
        **others,
    }
    return TypeAdapter(ServerCloud).validate_python(values)


def capacity(cloud: ServerCloud) -> Capacity:
    """What is known of the machine before anything happens."""
    found: list[Capacity] = []

    def program() -> None:
        found.append(ServerMachine("hub", cloud).capacity)

    done = engine.run(program)
    assert not done.all("Stash")
    return found[0]


def build(cloud: ServerCloud, *, preview: bool = False) -> tuple[Host, str | None, engine.Run]:
    """Run a program that asks for nothing but the machine; with Docker's address if that is known."""
    hosts: list[Host] = []
    known: list[str] = []

    def program() -> pulumi.Output[None]:
        hosts.append(ServerMachine("hub", cloud).build())
        return pulumi.Output.from_input(hosts[0].docker_host).apply(
            lambda address: known.append(str(address))
        )

    done = engine.run(program, preview=preview)
    return hosts[0], known[0] if known else None, done


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ("too-old-centos-7", "CentOS Linux 7 (Core) is too old; use AlmaLinux"),
        ("too-old-ubuntu-20.04", "Ubuntu 20.04.6 LTS is too old"),
        ("unknown-alpine", "Alpine Linux v3.20 is not supported"),
    ],
)
def test_a_system_that_cannot_be_is_refused_before_anything_is_put_there(
    key: Path, server: Callable[..., Path], system: str, told: str
) -> None:
    asked = server(system=system)
    with pytest.raises(pulumi.RunError) as caught:
        build(settings(key))
    assert told in str(caught.value)
    assert "first-boot.conf" not in asked.read_text()


def test_its_size_is_known_before_anything(key: Path, server: Callable[..., Path]) -> None:
    asked = server(memory_mb=1990, cpus=2)
    assert capacity(settings(key)) == Capacity(1990, 2)
    assert "first-boot.conf" not in asked.read_text()
    host, _, _ = build(settings(key))
    assert (host.memory_mb, host.cpus) == (1990, 2)


@pytest.mark.parametrize(
    ("device", "asked_how", "said", "limits"),
    [
        (None, "--target", "ext4   rw,noatime,prjquota", True),
        (None, "--target", "ext4   rw,relatime", False),
        (None, "--target", "xfs    rw,prjquota", False),
        ("/dev/sdb", "--mountpoint", "", None),
    ],
)
def test_what_the_data_folder_is_on_is_known_before_anything(
    key: Path, server: Callable[..., Path], device: str | None, asked_how: str, said: str, limits: bool | None
) -> None:
    asked = server(data=said)
    found = capacity(settings(key, dataDevice=device)).filesystem
    assert (found and found.limits_projects) == limits
    assert f"{asked_how} " in asked.read_text()


def test_the_update_prepares_it_and_then_knows_dockers_address(
    key: Path, server: Callable[..., Path]
) -> None:
    asked = server()
    _, docker, _ = build(settings(key, sshUser="ada", sshPort=2222, dataDir="/srv/hub"))
    assert docker == "ssh://ada@hub.example.org:2222"
    assert "sudo -n sh -s" in asked.read_text()
    conf = (asked.parent / "conf").read_text()
    assert "USER_NAME=ada\n" in conf
    assert "DATA_DIR=/srv/hub\n" in conf
    assert "OURS_ALONE=no\n" in conf
    assert "DATA_DISK=''\n" in conf


def test_a_second_update_changes_nothing_on_it(key: Path, server: Callable[..., Path]) -> None:
    asked = server()
    build(settings(key))
    asked.write_text("")
    build(settings(key))
    assert "first-boot.conf" not in asked.read_text()


def test_a_machine_that_was_installed_anew_gets_new_containers(
    key: Path, server: Callable[..., Path]
) -> None:
    """They are replaced with what stands for the installation, and deleted one by one."""
    server(machine_id="a" * 32)
    host, _, done = build(settings(key))
    identity = done.only("Stash")
    assert identity.inputs["input"] == "a" * 32
    assert identity.options.replacement_trigger.string_value == "a" * 32
    assert host.identity is not None
    assert host.machine is None


def test_a_data_device_is_passed_on(key: Path, server: Callable[..., Path]) -> None:
    asked = server()
    build(settings(key, dataDevice="/dev/disk/by-id/ata-Disk_7"))
    assert "DATA_DISK=/dev/disk/by-id/ata-Disk_7\n" in (asked.parent / "conf").read_text()


def test_a_preview_prepares_nothing(key: Path, server: Callable[..., Path]) -> None:
    asked = server()
    _, docker, _ = build(settings(key), preview=True)
    assert docker is None
    assert not (asked.parent / "conf").exists()


@pytest.mark.parametrize(
    ("code", "words", "told"),
    [
        (
            255,
            "ssh: connect to host hub.example.org port 22: Connection refused",
            "does not answer on port 22",
        ),
        (255, "root@hub.example.org: Permission denied (publickey).", "does not accept the key"),
        (255, "Host key verification failed.", "is not the stack.s machine"),
    ],
)
def test_a_machine_that_cannot_be_used_is_an_error_at_once(
    key: Path, server: Callable[..., Path], code: int, words: str, told: str
) -> None:
    server(code=code, words=words)
    with pytest.raises(pulumi.RunError, match=told):
        build(settings(key), preview=True)


def test_missing_root_rights_are_an_error_at_once(key: Path, server: Callable[..., Path]) -> None:
    server(sudo=1)
    with pytest.raises(pulumi.RunError, match="ada may not become root on hub"):
        build(settings(key, sshUser="ada"), preview=True)


def test_a_preview_of_a_prepared_machine_knows_dockers_address(
    key: Path, server: Callable[..., Path]
) -> None:
    server()
    build(settings(key))
    _, docker, _ = build(settings(key), preview=True)
    assert docker == "ssh://root@hub.example.org:22"


def test_a_missing_key_is_an_error_before_anything_is_asked(
    tmp_path: Path, server: Callable[..., Path]
) -> None:
    asked = server()
    with pytest.raises(pulumi.RunError, match=r"cloud\.sshKeyFile: .*none does not exist"):
        build(settings(tmp_path / "none"))
    assert not asked.exists()
