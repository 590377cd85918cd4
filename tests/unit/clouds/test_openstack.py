"""What is asked of OpenStack for a machine, and what its operator is told."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra.clouds.openstack.facts import USER_DATA_BYTES
from infra.machine import readiness
from tests.unit.clouds.arbutus import (
    ADDRESS,
    GET_VOLUME,
    LOOKUPS,
    MADE,
    SETTINGS,
    VOLUME,
    up,
)
from tests.unit.clouds.deploying import deploy
from tests.unit.engine import texts


def test_only_ssh_http_and_https_are_open() -> None:
    rules = [rule.inputs for rule in up().run.all(":SecGroupRule")]
    assert sorted((rule["portRangeMin"], rule["portRangeMax"]) for rule in rules) == [
        (22, 22),
        (80, 80),
        (443, 443),
    ]
    assert {rule["direction"] for rule in rules} == {"ingress"}


def test_the_rules_for_outgoing_traffic_that_a_group_comes_with_stay() -> None:
    assert "deleteDefaultRules" not in up().run.only(":SecGroup").inputs


def test_ssh_is_open_to_the_administrators_networks_only() -> None:
    got = up({"adminCidrs": ["142.104.0.0/16", "2607:f8f0::/32", "142.104.0.0/16"]}).run
    ssh = [rule.inputs for rule in got.all(":SecGroupRule") if rule.inputs["portRangeMin"] == 22]
    assert sorted((rule["ethertype"], rule["remoteIpPrefix"]) for rule in ssh) == [
        ("IPv4", "142.104.0.0/16"),
        ("IPv6", "2607:f8f0::/32"),
    ]
    assert "port 22" not in got.told.of("warning")


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "::/0"])
def test_ssh_that_is_open_to_the_world_is_warned_of(cidr: str) -> None:
    assert "port 22 is open to the whole internet" in up({"adminCidrs": [cidr]}).run.told.of("warning")


def test_the_firewall_is_on_the_port() -> None:
    got = up().run
    assert got.only(":Port").inputs["securityGroupIds"] == ["hub-firewall-id"]
    assert "securityGroups" not in got.only(":Instance").inputs
    assert got.only(":Instance").inputs["networks"] == [{"port": "hub-port-id"}]


def test_the_newest_image_is_asked_for_and_taken_by_its_id() -> None:
    got = up().run
    asked = dict(got.lookups)["openstack:images/getImage:getImage"]
    assert asked["mostRecent"] is True
    assert got.only(":Instance").inputs["imageId"] == "newest-AlmaLinux-9"


def test_a_machine_that_runs_is_not_replaced_by_a_new_image_or_script() -> None:
    ignored = set(up().run.only(":Instance").options.ignoreChanges)
    assert {"imageId", "userData", "blockDevices", "keyPair", "availabilityZone"} <= ignored


def test_another_port_means_another_machine() -> None:
    got = up().run
    assert "networks" not in got.only(":Instance").options.ignoreChanges
    assert "networkId" in got.only(":Port").options.ignoreChanges


@pytest.mark.parametrize(
    ("settings", "from_volume"),
    [
        ({}, False),
        ({"flavor": "p4-6gb"}, True),
        ({"boot": "volume"}, True),
        ({"flavor": "p4-6gb", "boot": "image"}, False),
    ],
)
def test_the_machine_starts_from_a_volume_where_its_flavor_has_no_disk(
    settings: dict[str, Any], from_volume: bool
) -> None:
    machine = up({**settings, "bootGb": 33}).run.only(":Instance").inputs
    if from_volume:
        (device,) = machine["blockDevices"]
        assert "imageId" not in machine
        assert (device["volumeSize"], device["sourceType"], device["destinationType"]) == (
            33,
            "image",
            "volume",
        )
        assert device["deleteOnTermination"] is True
    else:
        assert machine["imageId"]
        assert "blockDevices" not in machine


def test_the_data_volume_is_kept_when_the_stack_is_destroyed() -> None:
    volume = up().run.only(":Volume")
    assert volume.options.retainOnDelete
    assert not volume.options.protect, "destroy would stop at it, half done"


def test_the_data_volume_goes_when_that_is_asked_for() -> None:
    assert not up({"keepData": False}).run.only(":Volume").options.retainOnDelete


def test_no_setting_makes_a_new_data_volume_of_one_that_is_there() -> None:
    ignored = set(up({"dataVolumeType": "rbd1"}).run.only(":Volume").options.ignoreChanges)
    assert {"availabilityZone", "volumeType", "imageId", "snapshotId", "sourceVolId"} <= ignored


def test_the_data_volume_grows_while_the_machine_runs() -> None:
    assert up().run.only(":Volume").inputs["enableOnlineResize"] is True


def test_the_volume_is_let_go_by_the_machine_that_shuts_down() -> None:
    got = up().run
    attached = got.only(":VolumeAttach")
    assert attached.options.deletedWith.endswith("::hub-machine")
    assert attached.options.deleteBeforeReplace
    assert "device" not in attached.inputs
    assert got.only(":Instance").inputs["stopBeforeDestroy"] is True


def test_the_address_leads_to_the_port() -> None:
    got = up()
    associated = got.run.only(":FloatingIpAssociate").inputs
    assert associated == {"floatingIp": ADDRESS, "portId": "hub-port-id"}
    assert got.known == {"address": ADDRESS, "docker_host": f"ssh://almalinux@{ADDRESS}:22"}


def test_the_machine_is_waited_for_once_it_has_its_address_and_its_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happened: list[str] = []

    def make(args: pulumi.runtime.MockResourceArgs) -> tuple[str, Any]:
        happened.append(args.typ.rpartition(":")[2])
        return f"{args.name}-id", MADE.get(args.typ, {})

    def wait(*_: Any, **__: Any) -> pulumi.Output[str]:
        happened.append("wait")
        return pulumi.Output.from_input("ssh://there")

    monkeypatch.setattr(readiness, "wait", wait)
    deploy(SETTINGS, made=make, lookups=LOOKUPS)
    assert happened.count("wait") == 1
    assert happened.index("wait") > max(happened.index("VolumeAttach"), happened.index("FloatingIpAssociate"))


def test_an_address_that_is_there_is_used() -> None:
    lookups = {"openstack:networking/getFloatingIp:getFloatingIp": {"portId": ""}}
    got = up({"floatingIp": "134.87.8.99"}, lookups=lookups)
    assert not got.run.all(":FloatingIp")
    assert got.known["address"] == "134.87.8.99"


def test_everything_says_whose_it_is() -> None:
    for one in up(stack="arbutus").run.asked:
        if one.type.endswith((":SecGroup", ":Port", ":FloatingIp")):
            assert set(one.inputs["tags"]) == {"project=cyberhubs", "stack=arbutus", "managed-by=pulumi"}, (
                one.name
            )
        if one.type.endswith((":Instance", ":Volume")):
            wanted = {"project": "cyberhubs", "stack": "arbutus", "managed-by": "pulumi"}
            assert one.inputs["metadata"] == wanted, one.name


def test_stacks_of_one_project_do_not_meet() -> None:
    first, second = (
        {one.inputs["name"] for one in up(stack=stack).run.asked if "name" in one.inputs}
        for stack in ("astro", "course")
    )
    assert not first & second


def test_the_hosts_own_key_is_nowhere_in_the_open(home: Path) -> None:
    got = up()
    private = (home / ".ssh/cyberhubs-test-host").read_text()
    body = private.split("-----")[2].split()
    for one in got.run.asked:
        for text in texts(one.sent):
            assert not any(line in text for line in body), one.name
    assert "userData" in got.run.only(":Instance").options.additionalSecretOutputs


def test_the_operators_private_key_goes_nowhere(home: Path) -> None:
    got = up()
    # The first lines of all such files are the same.
    private = (home / ".ssh/cyberhubs-test").read_text().split("-----")[2].split()[2:]
    assert private
    for one in got.run.asked:
        assert not any(line in json.dumps(one.inputs, default=str) for line in private), one.name
    assert got.host.ssh is not None
    assert got.host.ssh.key_file == str(home / ".ssh/cyberhubs-test")


def test_the_user_data_find_the_volume_and_fit() -> None:
    text = up().run.only(":Instance").inputs["userData"]
    assert text.startswith("#cloud-config\n")
    assert len(base64.b64encode(text.encode())) <= USER_DATA_BYTES
    assert up().run.only(":Instance").inputs["configDrive"] is True


@pytest.mark.parametrize(
    ("image", "settings", "user"),
    [
        ("AlmaLinux-9", {}, "almalinux"),
        ("Debian-12", {}, "debian"),
        ("Own-Image", {"sshUser": "cloud-user"}, "cloud-user"),
    ],
)
def test_the_images_own_user_is_known(image: str, settings: dict[str, Any], user: str) -> None:
    ssh = up({"image": image, **settings}).host.ssh
    assert ssh is not None
    assert ssh.user == user


def test_a_key_pair_of_the_user_is_taken_as_it_is(home: Path) -> None:
    up()  # makes a key to name
    settings = {"keyPair": "mine", "sshKeyFile": str(home / ".ssh/cyberhubs-test")}
    got = up(settings, lookups={"openstack:compute/getKeypair:getKeypair": {"name": "mine"}}).run
    assert not got.all(":Keypair")
    assert got.only(":Instance").inputs["keyPair"] == "mine"


def test_the_name_gets_its_record_in_the_projects_zone() -> None:
    lookups = {"openstack:dns/getDnsZone:getDnsZone": {"id": "zone"}}
    record = up({"dnsZone": "example.org"}, hostname="hub.example.org", lookups=lookups).run.only(
        ":RecordSet"
    )
    assert record.inputs["name"] == "hub.example.org."
    assert (record.inputs["type"], record.inputs["records"]) == ("A", [ADDRESS])


# What happens to a volume that is there already


def test_a_named_volume_becomes_the_data_volume() -> None:
    got = up({"dataVolumeId": "1b1e"}).run
    assert got.only(":Volume").options.importId == "1b1e"
    assert "1b1e is taken over as it is" in got.told.of("info")


def test_the_volume_that_destroy_left_is_found_again() -> None:
    kept = {"id": "1b1e", "status": "available", "size": 180}
    got = up(lookups={GET_VOLUME: kept}).run
    assert dict(got.lookups)[GET_VOLUME]["name"] == "cyberhub-test-data"
    assert got.only(":Volume").options.importId == "1b1e"
    assert "left the data volume cyberhub-test-data (1b1e): it is taken over" in got.told.of("info")


def test_a_volume_that_the_stack_has_is_looked_for_nowhere() -> None:
    state = {f"{VOLUME}::hub-data": {"id": "1b1e", "size": 180}}
    got = up({"dataVolumeId": "2c2f"}, in_state=state).run
    assert not got.only(":Volume").options.importId
    assert GET_VOLUME not in dict(got.lookups)
