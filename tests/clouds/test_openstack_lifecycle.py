"""A stack's whole life on OpenStack, by the real engine and the real plug-in.

The cloud is pretended: its interfaces answer, nothing boots. What a rebuilt machine does with its disk is
for the tests that boot one.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clouds import fake_openstack
from tests.clouds.fake_openstack import Cloud
from tests.clouds.machine_stack import PORT, MachineStack, write_credentials

pytestmark = pytest.mark.docker  # for Pulumi and its plug-ins, which come with that tier


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with fake_openstack.running() as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cloud: Cloud) -> MachineStack:
    made = MachineStack(tmp_path, monkeypatch)
    write_credentials(made.credentials, cloud)
    return made


def only(things: dict[str, fake_openstack.Json]) -> fake_openstack.Json:
    (thing,) = things.values()
    return thing


def changes(cloud: Cloud, start: int) -> list[str]:
    """What was changed in the cloud since, without ids."""
    asked = [line for line in cloud.requests[start:] if not line.startswith("GET") and "auth" not in line]
    return [re.sub(r"/[0-9a-f-]{32,36}", "", line) for line in asked]


def test_from_an_empty_project_to_nothing_but_the_data_and_back(stack: MachineStack, cloud: Cloud) -> None:
    stack.up()
    machine, volume = only(cloud.servers), only(cloud.volumes)
    assert (volume["size"], volume["attachments"][0]["server_id"]) == (180, machine["id"])
    port = only(cloud.ports)
    assert only(cloud.floating_ips)["port_id"] == port["id"]
    ingress = [rule for rule in cloud.rules.values() if rule["direction"] == "ingress"]
    egress = [rule for rule in cloud.rules.values() if rule["direction"] == "egress"]
    assert sorted(rule["port_range_min"] for rule in ingress) == [22, 80, 443]
    assert len(egress) == 2
    newest = [image for image in cloud.images.values() if image["name"] == "AlmaLinux-9"][-1]
    assert machine["image"]["id"] == newest["id"]

    # The second time nothing is changed, also when there is a newer image.
    newer = cloud.add_image("AlmaLinux-9")
    start = len(cloud.requests)
    assert set(stack.up()) == {"same"}
    assert changes(cloud, start) == []

    # Growing and another flavor happen in place.
    stack.up({"dataGb": 200, "flavor": "p8-12gb"})
    assert (only(cloud.servers)["id"], only(cloud.volumes)["size"]) == (machine["id"], 200)
    assert cloud.flavors[only(cloud.servers)["flavor"]["id"]]["name"] == "p8-12gb"
    with pytest.raises(Exception, match="the data volume has 200 GB and volumes never shrink"):
        stack.up({"dataGb": 100})

    rebuild(stack, cloud, machine, volume, newest=newer)
    leave_the_data_and_come_back(stack, cloud, volume)


def rebuild(
    stack: MachineStack, cloud: Cloud, machine: fake_openstack.Json, volume: fake_openstack.Json, newest: str
) -> None:
    """A rebuilt machine has the newest image, the same volume and the same address.

    The old one is shut down before it goes, and the volume is not pulled off it.
    """
    address = stack.outputs()["address"]
    start = len(cloud.requests)
    stack.up({"dataGb": 200}, replace=[PORT])
    rebuilt = only(cloud.servers)
    assert rebuilt["id"] != machine["id"]
    assert rebuilt["image"]["id"] == newest
    assert only(cloud.volumes)["attachments"][0]["server_id"] == rebuilt["id"]
    assert only(cloud.volumes)["id"] == volume["id"]
    assert stack.outputs()["address"] == address
    done = changes(cloud, start)
    assert done[:3] == [
        "POST /compute/v2.1/servers/action",
        "DELETE /compute/v2.1/servers",
        "DELETE /network/v2.0/ports",
    ]
    assert not any("DELETE" in line and "os-volume_attachments" in line for line in done)


def leave_the_data_and_come_back(stack: MachineStack, cloud: Cloud, volume: fake_openstack.Json) -> None:
    # Destroy leaves the data volume and nothing else.
    stack.destroy()
    things = (cloud.servers, cloud.ports, cloud.groups, cloud.floating_ips, cloud.keypairs)
    assert not any(things)
    assert only(cloud.volumes)["id"] == volume["id"]
    assert only(cloud.volumes)["status"] == "available"

    # The next deployment finds it again, and can grow it at once.
    stack.up({"dataGb": 250})
    assert "left the data volume cyberhub-arbutus-data" in stack.said
    again = only(cloud.volumes)
    assert (again["id"], again["size"]) == (volume["id"], 250)
    assert again["attachments"][0]["server_id"] == only(cloud.servers)["id"]
    assert set(stack.up({"dataGb": 250})) == {"same"}

    # Told to, destroy deletes the data too.
    stack.up({"dataGb": 250, "keepData": False})
    stack.destroy()
    assert not cloud.volumes


def test_a_machine_that_was_deleted_in_the_cloud_is_made_anew_by_one_word(
    stack: MachineStack, cloud: Cloud
) -> None:
    stack.up()
    address, volume = stack.outputs()["address"], only(cloud.volumes)["id"]
    cloud.lose_server(only(cloud.servers)["id"])
    stack.up()
    assert "the stack's machine is gone" in stack.said
    assert not cloud.servers, "an up alone makes none: somebody may be at work on it"
    stack.up(replace=[PORT])
    assert only(cloud.volumes)["attachments"][0]["server_id"] == only(cloud.servers)["id"]
    assert (stack.outputs()["address"], only(cloud.volumes)["id"]) == (address, volume)
    assert only(cloud.servers)["id"] in stack.outputs()["dockerHost"]


@pytest.mark.parametrize("happened", ["lost", "stopped"])
def test_a_stack_whose_machine_does_not_run_can_be_destroyed(
    stack: MachineStack, cloud: Cloud, happened: str
) -> None:
    stack.up()
    if happened == "lost":
        cloud.lose_server(only(cloud.servers)["id"])
    else:
        only(cloud.servers)["status"] = "SHUTOFF"
    stack.destroy()
    assert not cloud.servers
    assert only(cloud.volumes)["status"] == "available"


def test_a_volume_that_was_deleted_in_the_cloud_is_made_anew(stack: MachineStack, cloud: Cloud) -> None:
    stack.up()
    cloud.lose_server(only(cloud.servers)["id"])
    cloud.volumes.clear()
    stack.forget_what_is_gone("**::hub-data")
    stack.up(replace=[PORT])
    assert only(cloud.volumes)["attachments"][0]["server_id"] == only(cloud.servers)["id"]


def test_lost_keys_are_made_anew_by_hand_with_another_machine(stack: MachineStack, cloud: Cloud) -> None:
    stack.up()
    before, volume = only(cloud.keypairs)["public_key"], only(cloud.volumes)["id"]
    lost = [stack.home / ".ssh" / name for name in ("cyberhubs-arbutus", "cyberhubs-arbutus-host")]
    for file in lost:
        file.unlink()
    with pytest.raises(Exception, match=r"see docs/rebuild\.md"):
        stack.up()
    for file in lost:
        file.with_name(f"{file.name}.pub").unlink()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    stack.up(replace=[PORT])
    assert only(cloud.keypairs)["public_key"] != before
    assert only(cloud.volumes)["id"] == volume
    assert set(stack.up()) == {"same"}


def test_an_existing_volume_is_adopted(stack: MachineStack, cloud: Cloud) -> None:
    theirs = cloud.add_volume("ten years of spectra", 120)
    stack.up({"dataVolumeId": theirs, "dataGb": 300})
    assert only(cloud.volumes)["id"] == theirs
    assert only(cloud.volumes)["size"] == 300
    assert set(stack.up({"dataVolumeId": theirs, "dataGb": 300})) == {"same"}


def test_an_address_that_the_project_has_is_used_and_not_given_back(
    stack: MachineStack, cloud: Cloud
) -> None:
    network = next(n["id"] for n in cloud.networks.values() if n["router:external"])
    body = {"floatingip": {"floating_network_id": network}}
    ours = fake_openstack.Services(cloud).make_address(body=body)["floatingip"]
    address = ours["floating_ip_address"]
    stack.up({"floatingIp": address})
    assert only(cloud.floating_ips)["port_id"] == only(cloud.ports)["id"]
    assert set(stack.up({"floatingIp": address})) == {"same"}
    stack.destroy()
    assert only(cloud.floating_ips)["port_id"] is None


def test_the_projects_own_network_is_found_beside_a_shared_one(stack: MachineStack, cloud: Cloud) -> None:
    shared = cloud.add_network("shared-by-all", external=False)
    cloud.networks[shared]["tenant_id"] = "d" * 32
    stack.up()
    own = next(n["id"] for n in cloud.networks.values() if n["name"] == "def-group-network")
    assert only(cloud.ports)["network_id"] == own


def test_two_networks_of_the_project_are_named(stack: MachineStack, cloud: Cloud) -> None:
    cloud.add_network("second-network", external=False)
    with pytest.raises(Exception, match=r"cloud\.network: there are several internal networks") as caught:
        stack.up()
    assert "def-group-network, second-network; set the one to use" in str(caught.value)
    stack.up({"network": "second-network"})


def test_the_nearest_names_are_offered(stack: MachineStack, cloud: Cloud) -> None:
    with pytest.raises(Exception, match="wrong settings") as caught:
        stack.up({"flavor": "c4-16gb-83", "image": "AlmaLinux9", "network": "def-group"})
    said = str(caught.value)
    assert "cloud.flavor: the project has no flavor c4-16gb-83; the nearest there are c4-15gb-83" in said
    assert "cloud.image: the project has no image AlmaLinux9; the nearest there are AlmaLinux-9" in said
    assert (
        "cloud.network: the project has no network def-group; the nearest there are def-group-network" in said
    )
    assert not cloud.volumes


def test_a_quota_without_room_is_told_before_anything_is_made(stack: MachineStack, cloud: Cloud) -> None:
    cloud.cores = 3
    with pytest.raises(Exception, match="4 cores are needed, and the project's quota has room for 3"):
        stack.up()
    assert not any((cloud.volumes, cloud.groups, cloud.floating_ips))


def test_a_secret_that_is_no_good_is_told(stack: MachineStack, cloud: Cloud) -> None:
    write_credentials(stack.credentials, cloud, secret="HUNTER2")
    with pytest.raises(Exception, match="OpenStack refused the credentials") as caught:
        stack.up()
    assert "Identity > Application Credentials > Create" in str(caught.value)
    assert "HUNTER2" not in str(caught.value)


def test_a_cloud_that_does_not_answer_is_told(stack: MachineStack, cloud: Cloud) -> None:
    elsewhere = Cloud(url="http://127.0.0.1:9")
    write_credentials(stack.credentials, elsewhere)
    with pytest.raises(Exception, match="Nothing answers under the address in"):
        stack.up()


def test_an_update_that_stopped_half_way_goes_on_where_it_stopped(stack: MachineStack, cloud: Cloud) -> None:
    cloud.refuse = "POST /compute/v2.1/servers"
    with pytest.raises(Exception, match="No valid host was found"):
        stack.up()
    volume, address = only(cloud.volumes)["id"], only(cloud.floating_ips)["id"]
    cloud.refuse = ""
    stack.up()
    assert (only(cloud.volumes)["id"], only(cloud.floating_ips)["id"]) == (volume, address)
    assert only(cloud.volumes)["attachments"]
