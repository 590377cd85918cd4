"""What is asked of OpenStack for a machine, and what its operator is told."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from infra.machine import readiness
from infra.machine.cloud_init import OPENSTACK_LIMIT_BYTES
from tests.unit.clouds import arbutus
from tests.unit.clouds.arbutus import ADDRESS, INSTANCE, LOOKUPS, MADE, PORT, SETTINGS, VOLUME
from tests.unit.clouds.deploying import Deployed, deploy
from tests.unit.engine import Answer, texts

GET_VOLUME = "openstack:blockstorage/getVolumeV3:getVolumeV3"


def up(settings: dict[str, Any] | None = None, **more: Any) -> Deployed:
    lookups: dict[str, Answer] = {**LOOKUPS, **more.pop("lookups", {})}
    return deploy({**SETTINGS, **(settings or {})}, made=MADE, lookups=lookups, **more)


def refusal(settings: dict[str, Any] | None = None, **more: Any) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        up(settings, **more)
    return str(caught.value)


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
    assert len(base64.b64encode(text.encode())) <= OPENSTACK_LIMIT_BYTES
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


# Refusals: nothing is made


@pytest.mark.parametrize(
    ("settings", "lookups", "state", "words"),
    [
        (
            {"flavor": "c4-16gb"},
            {},
            {},
            "cyberhubs:cloud.flavor: the project has no flavor c4-16gb",
        ),
        ({"image": "AlmaLinux-11"}, {}, {}, "cyberhubs:cloud.image: the project has no image AlmaLinux-11"),
        (
            {"network": "other"},
            {"openstack:networking/getNetwork:getNetwork": arbutus.nothing},
            {},
            "cyberhubs:cloud.network: the project has no network other",
        ),
        (
            {},
            {"openstack:networking/getNetwork:getNetwork": arbutus.several},
            {},
            "cyberhubs:cloud.externalNetwork: there are several external networks; set the one to",
        ),
        ({"image": "Own-Image"}, {}, {}, "cyberhubs:cloud.sshUser: the user of the image Own-Image is not"),
        (
            {"floatingIp": "134.87.8.99"},
            {"openstack:networking/getFloatingIp:getFloatingIp": arbutus.nothing},
            {},
            "cyberhubs:cloud.floatingIp: the project has no address 134.87.8.99",
        ),
        (
            {"floatingIp": "134.87.8.99"},
            {"openstack:networking/getFloatingIp:getFloatingIp": {"portId": "of another"}},
            {},
            "cyberhubs:cloud.floatingIp: 134.87.8.99 leads to another machine",
        ),
        (
            {"dnsZone": "example.org"},
            {"openstack:dns/getDnsZone:getDnsZone": {"id": "zone"}},
            {},
            "cyberhubs:cloud.dnsZone: the record is for web.hostname; set that too",
        ),
        (
            {},
            {GET_VOLUME: arbutus.several},
            {},
            "cyberhubs:cloud.dataVolumeId: there are several volumes cyberhub-test-data; set the id",
        ),
        (
            {},
            {GET_VOLUME: {"id": "1b1e", "status": "in-use", "size": 180}},
            {},
            "cyberhubs:cloud.dataVolumeId: the volume cyberhub-test-data (1b1e) of an earlier deployment is",
        ),
        (
            {},
            {GET_VOLUME: {"id": "1b1e", "status": "available", "size": 500}},
            {},
            "cyberhubs:cloud.dataGb: the data volume has 500 GB and volumes never shrink; set at least that",
        ),
        (
            {"dataGb": 100},
            {},
            {f"{VOLUME}::hub-data": {"id": "1b1e", "size": 180}},
            "cyberhubs:cloud.dataGb: the data volume has 180 GB and volumes never shrink; set at least that",
        ),
        (
            {},
            {"openstack:compute/getFlavor:getFlavor": arbutus.refused},
            {},
            "OpenStack refused the credentials: they are mistyped, have expired, were deleted, or belong",
        ),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_before_anything_is_made(
    settings: dict[str, Any], lookups: dict[str, Answer], state: dict[str, Any], words: str
) -> None:
    assert words in refusal(settings, lookups=lookups, in_state=state)


def test_all_that_the_project_has_not_is_told_at_once() -> None:
    message = refusal({"flavor": "x", "image": "Debian-99"})
    assert "2 wrong settings; nothing was created or changed" in message


def test_a_key_file_that_is_not_there_is_named() -> None:
    message = refusal({"sshKeyFile": "~/.ssh/lost", "keyPair": "mine"})
    assert "cloud.sshKeyFile" in message or "lost does not exist" in message


def test_a_machine_too_small_is_refused_before_anything_is_made() -> None:
    assert refusal(too_small="hub.limits.memoryMb is too much") == "hub.limits.memoryMb is too much"


# A stack that has a machine


RUNNING = {
    f"{INSTANCE}::hub-machine": {"id": "m1", "imageId": "old-image"},
    f"{PORT}::hub-port": {"id": "hub-port-id"},
    f"{VOLUME}::hub-data": {"id": "1b1e", "size": 180},
}


@pytest.fixture
def with_keys(home: Path) -> Path:
    """The keys of a stack that has been up."""
    up()
    return home


@pytest.mark.usefixtures("with_keys")
def test_a_machine_goes_on_when_its_image_was_retired() -> None:
    lookups = {"openstack:images/getImage:getImage": arbutus.nothing}
    got = up(in_state=RUNNING, lookups=lookups).run
    assert got.only(":Instance").inputs["imageId"] == "old-image"
    assert "has no image AlmaLinux-9 any more" in got.told.of("warning")


@pytest.mark.usefixtures("with_keys")
def test_the_stacks_own_use_of_an_address_is_no_fault() -> None:
    lookups = {"openstack:networking/getFloatingIp:getFloatingIp": {"portId": "hub-port-id"}}
    assert (
        up({"floatingIp": "134.87.8.99"}, in_state=RUNNING, lookups=lookups).known["address"] == "134.87.8.99"
    )


@pytest.mark.usefixtures("with_keys")
@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"powerState": ""}, "the stack's machine is gone"),
        (
            {"powerState": "shutoff"},
            "does not run (it is shutoff); start it with `openstack server start m1`",
        ),
    ],
)
def test_a_machine_that_is_gone_or_stopped_is_told_and_not_waited_for(
    status: Answer, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("waited for a machine that does not run")

    monkeypatch.setattr(readiness, "wait", never)
    made = {**MADE, INSTANCE: {"id": "m1"}}
    got = deploy(
        SETTINGS,
        made=lambda args: ("m1" if args.typ == INSTANCE else f"{args.name}-id", made.get(args.typ, {})),
        lookups={**LOOKUPS, "openstack:compute/getInstanceV2:getInstanceV2": status},
        in_state=RUNNING,
    )
    assert words in got.run.told.of("warning")
    assert "make rebuild STACK=test" in got.run.told.of("warning")


# Credentials


def test_credentials_that_are_nowhere_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OS_AUTH_URL")
    message = refusal()
    assert "There are no credentials for OpenStack" in message
    assert "Identity > Application Credentials > Create" in message


def test_a_cloud_that_is_not_in_clouds_yaml_is_named_with_those_that_are(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / "clouds.yaml"
    file.write_text(yaml.safe_dump({"clouds": {"arbutus": {}, "beluga": {}}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))
    assert f"{file} has no cloud 'cedar'; it has: arbutus, beluga" in refusal({"cloud": "cedar"})
    assert up({"cloud": "arbutus"}).run.only("providers:openstack").inputs == {"cloud": "arbutus"}


def test_a_file_for_a_browser_sign_in_is_no_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_AUTH_TYPE", "v3websso")
    assert "signs in with a browser, which no program can do" in refusal()


def test_an_application_credential_with_a_project_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_APPLICATION_CREDENTIAL_ID", "id")
    monkeypatch.setenv("OS_PROJECT_ID", "p")
    monkeypatch.setenv("OS_USER_DOMAIN_NAME", "Default")
    assert "run `unset OS_PROJECT_ID OS_USER_DOMAIN_NAME`" in refusal()
