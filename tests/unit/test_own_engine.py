# ruff: noqa: E501 - a table with a row for each engine
"""Engines on which a local stack cannot be are refused with the reason, before anything is made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hubconfig.options import HubOptions
from infra.checks import data_folder
from infra.clouds import own_engine
from infra.engine import Engine, EngineError
from infra.machine.capacity import Capacity
from infra.machine.filesystem import Filesystem
from infra.stack.clouds import ServerCloud
from infra.stack.sections import Sections

ROOTFUL = {"ID": "one", "SecurityOptions": ["name=seccomp,profile=default"], "OperatingSystem": "Debian"}
USUAL = "unix:///var/run/docker.sock"


class Answering(Engine):
    """An engine of some kind; at the usual socket there may be another."""

    def __init__(self, address: str | None, usual: dict[str, Any] | None, parts: str) -> None:
        super().__init__(docker_host=address)
        self.__dict__.update(usual=usual, parts=parts)

    def run(self, *words: str, seconds: int = 0, text: str | None = None) -> str:
        assert words[0] == "version"
        return str(self.__dict__["parts"])


@pytest.mark.parametrize(
    ("address", "info", "parts", "usual", "told"),
    [
        (None, ROOTFUL, "Engine containerd runc ", None, None),
        (USUAL, ROOTFUL, "Engine containerd ", None, None),
        ("unix:///run/other.sock", ROOTFUL, "Engine ", ROOTFUL, None),
        ("unix:///home/ada/.docker/desktop/docker.sock", {**ROOTFUL, "OperatingSystem": "Docker Desktop"}, "Engine ", None, None),
        ("tcp://10.0.0.7:2376", ROOTFUL, "Engine ", None, "an engine on another machine (tcp://10.0.0.7:2376)"),
        ("ssh://ada@lab.example.org", ROOTFUL, "Engine ", None, "use the stack `server`"),
        ("npipe:////./pipe/docker_engine", ROOTFUL, "Engine ", None, "on another machine"),
        (USUAL, ROOTFUL, "Podman Engine Conmon OCI Runtime ", None, "is Podman"),
        ("unix:///run/user/1000/podman/podman.sock", ROOTFUL, "Podman Engine ", None, "install Docker"),
        ("unix:///run/user/1000/docker.sock", {**ROOTFUL, "SecurityOptions": ["name=seccomp", "name=rootless"]}, "Engine ", ROOTFUL, "a rootless Docker"),
        ("unix:///run/other.sock", ROOTFUL, "Engine ", {**ROOTFUL, "ID": "two"}, "two engines here"),
        ("unix:///run/other.sock", ROOTFUL, "Engine ", None, "where none answers: no such file"),
    ],
)  # fmt: skip
def test_an_engine_is_taken_or_refused_with_the_reason(
    address: str | None,
    info: dict[str, Any],
    parts: str,
    usual: dict[str, Any] | None,
    told: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def at(_: Engine, docker_host: str) -> Engine:
        assert docker_host == USUAL
        return Engine(docker_host=docker_host)

    def said(_: Engine) -> dict[str, Any]:
        if usual is None:
            raise EngineError("no such file or directory")
        return usual

    monkeypatch.setattr(own_engine, "replace", at)
    monkeypatch.setattr(Engine, "info", said)
    refusal = own_engine.refusal(Answering(address, usual, parts), json.loads(json.dumps(info)))
    assert (refusal is None) == (told is None), refusal
    assert (told or "") in (refusal or "")


SERVER = ServerCloud.model_validate(
    {"kind": "server", "address": "hub.example.org", "sshKeyFile": "~/k", "hostKey": "ssh-ed25519 AAAA", "dataDir": "/srv/hub"}
)  # fmt: skip


def told_of(kind: str) -> str:
    capacity = Capacity(8000, 4, Filesystem(kind, frozenset({"rw"})))
    hub = HubOptions.model_validate({"auth": {"kind": "sharedPassword"}})
    found = data_folder.faults(Sections(stack="s", cloud=SERVER, capacity=capacity, hub=hub))
    return "\n".join(f"{fault.key}: {fault.rule}" for fault in found)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "fuse.sshfs", "fuse.rclone", "9p", "ceph", "lustre"])
def test_a_data_folder_of_another_machine_is_refused_before_a_database_is_lost(kind: str) -> None:
    told = told_of(kind)
    assert told.startswith(f"cloud.dataDir: /srv/hub is on {kind}, which another machine or a program serves")
    assert "can be a space (docs/data.md)" in told


@pytest.mark.parametrize("kind", ["vfat", "exfat", "fuseblk", "ntfs3"])
def test_a_data_folder_without_owners_is_refused(kind: str) -> None:
    assert "whose files have no owners" in told_of(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs"])
def test_a_disk_of_the_machine_is_taken(kind: str) -> None:
    assert told_of(kind) == ""
