"""What EC2 has after the program ran."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra.clouds.aws.facts import USER_DATA_BYTES
from tests.unit.clouds.amazon import up
from tests.unit.clouds.deploying import deploy
from tests.unit.clouds.ec2 import Account
from tests.unit.engine import texts


def test_a_stack_in_an_empty_account(cloud: Account, home: Path) -> None:
    got = up(cloud, stack="aws-free")
    (machine,) = cloud.machines()
    identity = machine["InstanceId"]
    (port,) = machine["NetworkInterfaces"]

    # The machine is where the address leads, and where people and Docker are sent.
    (address,) = cloud.ec2.describe_addresses()["Addresses"]
    assert address["NetworkInterfaceId"] == port["NetworkInterfaceId"]
    assert got.known["address"] == address["PublicIp"]
    assert got.known["docker_host"] == f"ssh://ec2-user@{address['PublicIp']}:22"

    # Three ports, and a way out.
    (group,) = cloud.ec2.describe_security_groups(GroupIds=[port["Groups"][0]["GroupId"]])["SecurityGroups"]
    opened = [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in group["IpPermissions"]]
    assert sorted(opened) == [("tcp", 22, 22), ("tcp", 80, 80), ("tcp", 443, 443)]
    assert [rule["IpProtocol"] for rule in group["IpPermissionsEgress"]] == ["-1"]

    # Metadata for the machine only.
    assert machine["MetadataOptions"]["HttpTokens"] == "required"
    assert machine["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert "IamInstanceProfile" not in machine

    # Both disks encrypted; the data disk as the settings want it and attached.
    volumes = cloud.ec2.describe_volumes()["Volumes"]
    assert sorted((volume["Size"], volume["Encrypted"], volume["VolumeType"]) for volume in volumes) == [
        (8, True, "gp3"),
        (50, True, "gp3"),
    ]
    (data,) = cloud.data_volumes()
    (attachment,) = data["Attachments"]
    assert (attachment["InstanceId"], attachment["Device"]) == (identity, "/dev/sdf")

    # Whose it is.
    for one in (machine, group, data, address, port_of(cloud, port)):
        tags = {tag["Key"]: tag["Value"] for tag in one.get("Tags") or one["TagSet"]}
        assert tags.items() >= {"project": "cyberhubs", "stack": "aws-free", "managed-by": "pulumi"}.items()
        assert tags["Name"].startswith("cyberhub-aws-free")

    # The operator's key, and the size of user data that EC2 takes.
    (pair,) = cloud.ec2.describe_key_pairs(IncludePublicKey=True)["KeyPairs"]
    assert pair["PublicKey"].split()[1] in (home / ".ssh/cyberhubs-aws-free.pub").read_text()
    stored = cloud.ec2.describe_instance_attribute(InstanceId=identity, Attribute="userData")
    text = base64.b64decode(stored["UserData"]["Value"])
    assert text.startswith(b"#cloud-config\n")
    assert len(text) <= USER_DATA_BYTES
    assert data["VolumeId"].replace("-", "").encode() in packed(text)

    # The size that limits are held against.
    assert (got.capacity.memory_mb, got.capacity.cpus) == (1024, 1)


def port_of(cloud: Account, port: dict[str, Any]) -> dict[str, Any]:
    ids = [port["NetworkInterfaceId"]]
    found: dict[str, Any] = cloud.ec2.describe_network_interfaces(NetworkInterfaceIds=ids)[
        "NetworkInterfaces"
    ][0]
    return found


def packed(user_data: bytes) -> bytes:
    """The files in the user data."""
    config = json.loads(user_data.split(b"\n", 1)[1])
    return b"".join(gzip.decompress(base64.b64decode(file["content"])) for file in config["write_files"])


def test_what_the_engine_is_told(cloud: Account, home: Path) -> None:
    got = up(cloud).run
    machine, volume = got.only("instance:Instance"), got.only("volume:Volume")
    assert volume.options.retainOnDelete
    assert not volume.options.protect, "destroy would stop at it, half done"
    assert {"availabilityZone", "type", "encrypted", "snapshotId", "kmsKeyId"} <= set(
        volume.options.ignoreChanges
    )
    assert {"ami", "userData", "keyName", "rootBlockDevice"} <= set(machine.options.ignoreChanges)
    assert machine.options.deleteBeforeReplace
    attached = got.only(":VolumeAttachment")
    assert attached.options.deletedWith == machine.urn
    assert attached.options.deleteBeforeReplace
    assert attached.inputs["stopInstanceBeforeDetaching"] is True
    assert "subnetId" in got.only(":NetworkInterface").options.ignoreChanges
    private = (home / ".ssh/cyberhubs-test-host").read_text().split("-----")[2].split()
    for one in got.asked:
        assert not any(line in text for text in texts(one.sent) for line in private), one.name
    assert "userData" in machine.options.additionalSecretOutputs


def test_ssh_is_open_to_the_administrators_networks_only(cloud: Account) -> None:
    got = up(cloud, {"adminCidrs": ["142.104.0.0/16", "2607:f8f0::/32"], "keepData": False})
    groups = cloud.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["cyberhub-test"]}])
    (ssh,) = [rule for rule in groups["SecurityGroups"][0]["IpPermissions"] if rule["FromPort"] == 22]
    assert [one["CidrIp"] for one in ssh["IpRanges"]] == ["142.104.0.0/16"]
    assert [one["CidrIpv6"] for one in ssh["Ipv6Ranges"]] == ["2607:f8f0::/32"]
    assert "port 22" not in got.run.told.of("warning")
    assert not got.run.only("volume:Volume").options.retainOnDelete


def test_the_price_is_told(cloud: Account) -> None:
    told = up(cloud, preview=False).run.told
    assert "18.10 US dollars a month" in told.of("info")
    assert "28 GB of disk are paid for" in told.of("info")
    assert "port 22 is open to the whole internet" in told.of("warning")


def test_the_price_is_told_when_nothing_can_be_made(cloud: Account) -> None:
    def make(args: pulumi.runtime.MockResourceArgs) -> Any:
        if args.typ == "aws:ebs/volume:Volume":
            raise RuntimeError("stop here")
        return cloud.make(args)

    wanted = {"kind": "aws", "region": cloud.region}
    heard: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulumi.log, "info", lambda text, *_, **__: heard.append(text))
        with pytest.raises(Exception, match="stop here"):
            deploy(wanted, made=make, lookups=cloud.lookups())
    assert "US dollars a month" in heard[0]
    assert not cloud.machines()


def test_another_machine_gets_the_data_volume_and_the_address(cloud: Account) -> None:
    before = up(cloud)
    state = cloud.state()
    (old,), (volume,) = cloud.machines(), cloud.data_volumes()
    cloud.remove_machine()
    (kept,) = cloud.data_volumes()
    assert kept["State"] == "available"

    def make(args: pulumi.runtime.MockResourceArgs) -> Any:
        # The engine makes anew what was on the port; all else is as it was.
        if args.typ.endswith((":Instance", ":VolumeAttachment", ":NetworkInterface", ":EipAssociation")):
            return cloud.make(args)
        return same(cloud, args)

    up_again = deploy(
        {"kind": "aws", "region": cloud.region}, made=make, lookups=cloud.lookups(), in_state=state
    )
    (new,), (moved,) = cloud.machines(), cloud.data_volumes()
    assert new["InstanceId"] != old["InstanceId"]
    assert moved["VolumeId"] == volume["VolumeId"]
    assert moved["Attachments"][0]["InstanceId"] == new["InstanceId"]
    assert up_again.known["address"] == before.known["address"]


def same(cloud: Account, args: pulumi.runtime.MockResourceArgs) -> Any:
    """What is there already."""
    match args.typ:
        case "aws:ec2/eip:Eip":
            (found,) = cloud.ec2.describe_addresses()["Addresses"]
            return found["AllocationId"], {
                "publicIp": found["PublicIp"],
                "allocationId": found["AllocationId"],
            }
        case "aws:ebs/volume:Volume":
            (volume,) = cloud.data_volumes()
            return volume["VolumeId"], {}
        case "aws:ec2/securityGroup:SecurityGroup":
            filters = [{"Name": "group-name", "Values": ["cyberhub-test"]}]
            (group,) = cloud.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
            return group["GroupId"], {}
    return f"{args.name}-id", {}


def test_the_machine_goes_where_its_volume_is(cloud: Account) -> None:
    made = cloud.ec2.create_volume(AvailabilityZone="ca-central-1b", Size=50)["VolumeId"]
    got = up(cloud, {"dataVolumeId": made})
    (machine,) = cloud.machines()
    assert cloud.zone_of(machine) == "ca-central-1b"
    assert got.run.only("volume:Volume").options.importId == made
    assert f"{made} is taken over as it is" in got.run.told.of("info")


def test_the_volume_that_destroy_left_is_found_again(cloud: Account) -> None:
    tags = {"project": "cyberhubs", "stack": "test", "managed-by": "pulumi", "Name": "cyberhub-test-data"}
    words = [{"Key": key, "Value": value} for key, value in tags.items()]
    kept = cloud.ec2.create_volume(
        AvailabilityZone="ca-central-1b",
        Size=50,
        TagSpecifications=[{"ResourceType": "volume", "Tags": words}],
    )["VolumeId"]
    got = up(cloud)
    assert got.run.only("volume:Volume").options.importId == kept
    assert [volume["VolumeId"] for volume in cloud.data_volumes()] == [kept]
    assert "an earlier deployment of this stack left the data volume" in got.run.told.of("info")


def test_another_stacks_volume_is_not_taken(cloud: Account) -> None:
    up(cloud, stack="astro")
    assert not up(cloud, stack="course").run.only("volume:Volume").options.importId


def test_a_larger_type_has_its_own_size(cloud: Account) -> None:
    got = up(cloud, {"instanceType": "t3.large"})
    assert (got.capacity.memory_mb, got.capacity.cpus) == (8192, 2)
    assert got.run.only("instance:Instance").inputs["creditSpecification"] == {"cpuCredits": "standard"}


def test_a_key_pair_of_the_account_is_taken_as_it_is(cloud: Account, home: Path) -> None:
    up(cloud)  # makes a key to name
    cloud.ec2.create_key_pair(KeyName="mine")
    settings = {"keyPair": "mine", "sshKeyFile": str(home / ".ssh/cyberhubs-test")}
    assert not up(cloud, settings, stack="second").run.all(":KeyPair")
    assert {machine["KeyName"] for machine in cloud.machines()} == {"cyberhub-test", "mine"}
