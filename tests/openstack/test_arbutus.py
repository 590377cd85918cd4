"""The `arbutus` stack on a real OpenStack: from an empty project to a group that signs in, and back.

In order: each test goes on where the last stopped. What is asked is the cloud, never Pulumi's state.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import TypeVar

from openstack.connection import Connection

from infra.machine.ports import PUBLIC_PORTS
from tests.openstack.arbutus import DATA_GB, ArbutusDeployment
from tests.openstack.rig import life, operators
from tests.openstack.rig.operators import FLAVOR, FLAVOR_WITHOUT_DISK
from tests.support.browser import Browser

HOME = "/mnt/jupyterhub_users/ada"

Thing = TypeVar("Thing")


def only(things: Iterable[Thing]) -> Thing:
    """The one there is."""
    (thing,) = things
    return thing


def at_port(address: str, port: int) -> str:
    """What somebody outside finds there: `open`, `closed` (nobody listens) or `filtered`."""
    try:
        socket.create_connection((address, port), timeout=5).close()
    except ConnectionRefusedError:
        return "closed"
    except TimeoutError:
        return "filtered"
    return "open"


def still_signed_in(ada: Browser) -> None:
    """Her session outlives the machine: the hub's database and cookie secret are on the data volume."""
    ada.open("/hub/home")
    ada.until(lambda: "ada" in ada.text and "/hub/home" in ada.driver.current_url, "Ada is signed out")


def test_an_empty_project_gets_one_machine_with_its_volume_and_its_address(
    project: Connection, stack: ArbutusDeployment
) -> None:
    server, volume = only(project.compute.servers()), only(project.block_storage.volumes())
    assert (server.status, server.flavor["original_name"]) == ("ACTIVE", FLAVOR)
    assert (volume.size, volume.status, volume.volume_type) == (DATA_GB, "in-use", "rbd1")
    assert [each["server_id"] for each in volume.attachments] == [server.id]
    address = only(project.network.ips())
    assert address.floating_ip_address == stack.address
    assert project.network.get_port(address.port_id).device_id == server.id


def test_first_boot_took_its_user_data_from_the_config_drive(stack: ArbutusDeployment) -> None:
    assert stack.look("cloud-id") == "configdrive"


def test_ada_signs_in_and_runs_a_cell(stack: ArbutusDeployment, ada: Browser) -> None:
    ada.sign_in_with_password("ada", stack.outputs()["sharedPassword"])
    ada.choose("lab")
    ada.wait_for_lab()
    ada.new_notebook()
    ada.run("print('six times seven is', 6*7)", expect="six times seven is 42")
    ada.picture("openstack-cell")


def test_what_she_saves_is_on_the_data_volume(
    project: Connection, stack: ArbutusDeployment, ada: Browser
) -> None:
    ada.run("open('kept.txt', 'w').write('kept'); print('wr' + 'itten')", expect="written")
    assert stack.look(f"cat {HOME}/kept.txt") == "kept"
    disk = stack.look(
        "lsblk --nodeps --noheadings --output SERIAL $(findmnt --noheadings --output SOURCE /mnt)"
    )
    assert only(project.block_storage.volumes()).id.startswith(disk)


def test_her_server_does_not_reach_the_metadata_service(stack: ArbutusDeployment, ada: Browser) -> None:
    # The machine itself does, so it is there to be reached, with the machine's private host key.
    served = "wget -qO- --timeout=10 http://169.254.169.254/openstack/latest/user_data"
    assert "OPENSSH PRIVATE KEY" in stack.look(served)
    ada.run("import socket; probe = socket.socket(); probe.settimeout(5)", expect="")
    ada.run("print('metadata:', probe.connect_ex(('169.254.169.254', 80)) == 0)", expect="metadata: False")


def test_exactly_ssh_http_and_https_are_open_to_the_world(stack: ArbutusDeployment) -> None:
    # Listeners on all other ports tell a port that is let through from one that is not.
    probed = [*range(20, 26), 53, 79, 80, 81, 111, 442, 443, 444, 2375, 2376, 8000, 8080, 8081, 8443, 8888]
    found = {port: at_port(stack.address, port) for port in probed}
    assert {port for port, state in found.items() if state == "open"} == set(PUBLIC_PORTS.values())
    assert {state for port, state in found.items() if port not in PUBLIC_PORTS.values()} == {"filtered"}


def test_a_second_up_changes_nothing(project: Connection, stack: ArbutusDeployment) -> None:
    before = everything(project)
    changed = stack.up()
    assert set(changed) == {"unchanged"}, changed
    assert everything(project) == before


def everything(project: Connection) -> dict[str, list[str]]:
    """The ids of all that the project holds, and when each was last changed."""
    return {
        "servers": [f"{each.id} {each.updated_at}" for each in project.compute.servers()],
        "volumes": [f"{each.id} {each.updated_at}" for each in project.block_storage.volumes()],
        "addresses": [f"{each.id} {each.updated_at}" for each in project.network.ips()],
        "ports": [
            f"{each.id} {each.updated_at}" for each in project.network.ports(device_owner="compute:nova")
        ],
        "groups": sorted(f"{each.id} {each.updated_at}" for each in project.network.security_groups()),
        "keys": [each.name for each in project.compute.keypairs()],
    }


def test_a_rebuilt_machine_has_the_files_the_volume_and_the_address_of_the_old_one(
    project: Connection, stack: ArbutusDeployment, ada: Browser
) -> None:
    old, volume, address = _identities(project)
    with life.connect("operator") as operator:
        operators.upload(operator, life.newer_image())
    # The new one has no disk of its own: it starts from a volume, as those on Arbutus that are to stay.
    stack.set({"cloud": stack.cloud | {"flavor": FLAVOR_WITHOUT_DISK}})
    stack.rebuild()
    new, volume_after, address_after = _identities(project)
    assert new != old
    assert (volume_after, address_after) == (volume, address)
    root = only(each for each in project.block_storage.volumes() if each.id != volume)
    assert [each["server_id"] for each in root.attachments] == [new]
    assert stack.look(f"cat {HOME}/kept.txt") == "kept"
    still_signed_in(ada)


def test_a_machine_that_was_deleted_behind_our_back_is_brought_back_by_one_command(
    project: Connection, stack: ArbutusDeployment, ada: Browser
) -> None:
    lost, volume, address = _identities(project)
    project.compute.delete_server(lost)
    project.compute.wait_for_delete(project.compute.get_server(lost), wait=300)
    stack.rebuild()
    found, volume_after, address_after = _identities(project)
    assert found != lost
    assert (volume_after, address_after) == (volume, address)
    assert stack.look(f"cat {HOME}/kept.txt") == "kept"
    still_signed_in(ada)
    assert set(stack.up()) == {"unchanged"}


def test_destroy_leaves_the_data_volume_and_nothing_else(
    project: Connection, stack: ArbutusDeployment
) -> None:
    _, volume, _ = _identities(project)
    roots = [each for each in project.block_storage.volumes() if each.id != volume]
    stack.destroy()
    for root in roots:  # the cloud deletes it by itself once its machine is gone
        project.block_storage.wait_for_delete(root, wait=120)
    left = everything(project)
    assert [each.id for each in project.block_storage.volumes()] == [volume]
    assert only(project.block_storage.volumes()).status == "available"
    assert not left["servers"] + left["addresses"] + left["ports"] + left["keys"]
    assert [each.name for each in project.network.security_groups()] == ["default"]


def _identities(project: Connection) -> tuple[str, str, str]:
    """The machine, its data volume, and the address that leads to it."""
    server = only(project.compute.servers())
    volume = only(each for each in project.block_storage.volumes() if each.name.endswith("-data"))
    address = only(project.network.ips())
    assert server.id in {each["server_id"] for each in volume.attachments}
    assert project.network.get_port(address.port_id).device_id == server.id
    return server.id, volume.id, address.floating_ip_address
