"""What the `arbutus` stack makes in a real OpenStack, while nobody waits for its machine to boot.

Minutes, where the whole hub takes an hour: the cloud's own rules for ports, volumes and addresses, which the
stand-in of tests/clouds can only repeat.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openstack.compute.v2.server import Server
from openstack.connection import Connection

from tests.clouds.machine_stack import PORT, MachineStack
from tests.openstack.rig import life
from tests.openstack.rig.operators import FLAVOR, FLAVOR_WITHOUT_DISK, IMAGE

STACK = "services"

SETTINGS = {"flavor": FLAVOR, "image": IMAGE, "dataGb": 1}


@pytest.fixture
def stack(project: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MachineStack:
    """A stack of which nothing is made yet."""
    credentials = life.clouds_yaml().read_text()  # found below the home that the stack is about to change
    made = MachineStack(tmp_path, monkeypatch, STACK)
    made.credentials.write_text(credentials)
    return made


@pytest.fixture
def lived(project: Connection, stack: MachineStack) -> Iterator[MachineStack]:
    """The same, of which nothing is left in the end."""
    yield stack
    stack.destroy()
    for volume in ours(project)["volumes"]:
        project.block_storage.delete_volume(volume.id)
        project.block_storage.wait_for_delete(volume, wait=60)


def ours(project: Connection) -> dict[str, list[Any]]:
    """What the project holds of this stack."""
    name = f"cyberhub-{STACK}"
    return {
        "servers": [each for each in project.compute.servers() if each.name == name],
        "volumes": [each for each in project.block_storage.volumes() if each.name == f"{name}-data"],
        "ports": [each for each in project.network.ports() if each.name == name],
        "groups": [each for each in project.network.security_groups() if each.name == name],
        "addresses": [each for each in project.network.ips() if f"stack={STACK}" in each.tags],
        "keys": [each for each in project.compute.keypairs() if each.name == name],
    }


def the_machine(project: Connection, stack: MachineStack) -> Server:
    """The stack's only machine, once it is certain that its volume and its address are with it."""
    found = ours(project)
    assert {name: len(things) for name, things in found.items()} == dict.fromkeys(found, 1)
    server, volume, address = found["servers"][0], found["volumes"][0], found["addresses"][0]
    assert isinstance(server, Server)
    assert server.status == "ACTIVE"
    assert [each["server_id"] for each in volume.attachments] == [server.id]
    assert address.floating_ip_address == stack.outputs()["address"]
    assert project.network.get_port(address.port_id).device_id == server.id
    return server


def test_a_machines_life(project: Connection, lived: MachineStack) -> None:
    stack = lived
    stack.up(SETTINGS)
    first = the_machine(project, stack)
    volume, address = ours(project)["volumes"][0].id, stack.outputs()["address"]
    rules = project.network.security_group_rules(security_group_id=ours(project)["groups"][0].id)
    ingress = [
        (rule.protocol, rule.port_range_min, rule.port_range_max)
        for rule in rules
        if rule.direction == "ingress"
    ]
    assert sorted(ingress) == [("tcp", port, port) for port in (22, 80, 443)]
    assert set(stack.up(SETTINGS)) == {"same"}

    # Rebuilt, with a root disk that is a volume of its own.
    without_disk = SETTINGS | {"flavor": FLAVOR_WITHOUT_DISK}
    stack.up(without_disk, replace=[PORT])
    second = the_machine(project, stack)
    assert second.id != first.id
    assert len(second.attached_volumes) == 2
    assert (ours(project)["volumes"][0].id, stack.outputs()["address"]) == (volume, address)
    assert set(stack.up(without_disk)) == {"same"}

    # Deleted behind our back: an update tells, a rebuild mends.
    project.compute.delete_server(second)
    project.compute.wait_for_delete(second, wait=180)
    stack.up(without_disk)
    assert "the stack's machine is gone" in stack.said
    stack.up(without_disk, replace=[PORT])
    third = the_machine(project, stack)
    assert third.id != second.id
    assert (ours(project)["volumes"][0].id, stack.outputs()["address"]) == (volume, address)

    # Destroy leaves the data volume, and the next deployment takes it up again.
    stack.destroy()
    left = ours(project)
    assert [each.id for each in left.pop("volumes")] == [volume]
    assert not any(left.values())
    stack.up(SETTINGS)
    assert f"left the data volume cyberhub-{STACK}-data" in stack.said
    the_machine(project, stack)
    assert ours(project)["volumes"][0].id == volume


def test_a_secret_that_is_no_good_is_told(stack: MachineStack) -> None:
    text = stack.credentials.read_text()
    secret = yaml.safe_load(text)["clouds"]["arbutus"]["auth"]["application_credential_secret"]
    stack.credentials.write_text(text.replace(secret, "no-such-secret"))
    with pytest.raises(Exception, match="OpenStack refused the credentials"):
        stack.up(SETTINGS)


def test_names_that_the_project_has_not_are_answered_with_the_nearest(stack: MachineStack) -> None:
    with pytest.raises(Exception, match="wrong settings") as caught:
        stack.up(SETTINGS | {"flavor": "c2-3gb", "image": "Debian12"})
    said = str(caught.value)
    nearest = f"the project has no flavor c2-3gb; the nearest there are {FLAVOR_WITHOUT_DISK}, {FLAVOR}"
    assert nearest in said
    assert f"the project has no image Debian12; the nearest there are {IMAGE}," in said
