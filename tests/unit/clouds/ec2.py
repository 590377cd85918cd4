"""Carries out what the program asks for in moto's EC2, as the plug-in does in Amazon's.

The tests then ask EC2 and not the engine's double: whether a disk is encrypted, or a port open.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
import pytest
from botocore.exceptions import ClientError

from tests.unit.engine import Answer, LookupFailedError, opened

# moto reads these when it is imported: without them it takes any image, key and type for good.
os.environ["MOTO_ENABLE_AMI_VALIDATION"] = "true"
os.environ["MOTO_ENABLE_KEYPAIR_VALIDATION"] = "true"
os.environ["MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION"] = "true"

import boto3
import moto
from moto.ec2.models import amis, ec2_backends

# A thousand old images, which each new account is else filled with; Amazon Linux's newest are apart.
amis.AMIS.clear()

Json = dict[str, Any]
Made = tuple[str, Mapping[str, Any]]

_CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@dataclass
class Account:
    """One region of an account."""

    region: str
    ec2: Any
    ssm: Any
    tags: dict[str, str] = field(default_factory=dict)
    """The plug-in's default tags."""

    def make(self, args: pulumi.runtime.MockResourceArgs) -> Made:
        """Make what the program asks for."""
        makers: dict[str, Callable[[Json, str | None], Made]] = {
            "pulumi:providers:aws": self._plugin,
            "aws:ec2/securityGroup:SecurityGroup": self._group,
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": self._ingress,
            "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": self._egress,
            "aws:ec2/keyPair:KeyPair": self._key_pair,
            "aws:ebs/volume:Volume": self._volume,
            "aws:ec2/networkInterface:NetworkInterface": self._port,
            "aws:ec2/instance:Instance": self._machine,
            "aws:ec2/volumeAttachment:VolumeAttachment": self._attachment,
            "aws:ec2/eip:Eip": self._address,
            "aws:ec2/eipAssociation:EipAssociation": self._association,
        }
        maker = makers.get(args.typ)
        if maker is None:
            assert not args.custom, f"nobody makes {args.typ} here"
            return f"{args.name}-id", {}
        return maker(opened(args.inputs), args.resource_id or None)

    def lookups(self) -> Mapping[str, Answer]:
        """The plug-in's lookups."""
        return {
            "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": self._offerings,
            "aws:ec2/getInstanceTypes:getInstanceTypes": self._types,
            "aws:ec2/getInstanceType:getInstanceType": self._type,
            "aws:ssm/getParameter:getParameter": self._parameter,
            "aws:ec2/getSubnet:getSubnet": self._subnet,
            "aws:ebs/getVolume:getVolume": self._volume_there,
            "aws:ebs/getEbsVolumes:getEbsVolumes": self._volumes_there,
            "aws:ec2/getKeyPair:getKeyPair": self._key_pair_there,
            "aws:ec2/getInstance:getInstance": self._machine_there,
        }

    # What is made

    def _tagged(self, kind: str, inputs: Json) -> list[Json]:
        tags = {**self.tags, **inputs.get("tags", {})}
        return [{"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]

    def _plugin(self, inputs: Json, _: str | None) -> Made:
        assert inputs["region"] == self.region
        # A plug-in's own settings travel as text.
        self.tags = json.loads(inputs["defaultTags"])["tags"]
        return "plugin", {}

    def _group(self, inputs: Json, _: str | None) -> Made:
        made = self.ec2.create_security_group(
            GroupName=inputs["name"],
            Description=inputs["description"],
            VpcId=inputs["vpcId"],
            TagSpecifications=self._tagged("security-group", inputs),
        )["GroupId"]
        # The plug-in takes back the rule that EC2 adds by itself.
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        self.ec2.revoke_security_group_egress(GroupId=made, IpPermissions=everything)
        return made, {}

    def _permission(self, inputs: Json) -> list[Json]:
        permission: Json = {"IpProtocol": inputs["ipProtocol"]}
        if "fromPort" in inputs:
            permission |= {"FromPort": inputs["fromPort"], "ToPort": inputs["toPort"]}
        if "cidrIpv4" in inputs:
            permission["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"], "Description": inputs["description"]}]
        else:
            permission["Ipv6Ranges"] = [
                {"CidrIpv6": inputs["cidrIpv6"], "Description": inputs["description"]}
            ]
        return [permission]

    def _ingress(self, inputs: Json, _: str | None) -> Made:
        made = self.ec2.authorize_security_group_ingress(
            GroupId=inputs["securityGroupId"],
            IpPermissions=self._permission(inputs),
            TagSpecifications=self._tagged("security-group-rule", inputs),
        )
        return made["SecurityGroupRules"][0]["SecurityGroupRuleId"], {}

    def _egress(self, inputs: Json, _: str | None) -> Made:
        made = self.ec2.authorize_security_group_egress(
            GroupId=inputs["securityGroupId"],
            IpPermissions=self._permission(inputs),
            TagSpecifications=self._tagged("security-group-rule", inputs),
        )
        return made["SecurityGroupRules"][0]["SecurityGroupRuleId"], {}

    def _key_pair(self, inputs: Json, _: str | None) -> Made:
        self.ec2.import_key_pair(
            KeyName=inputs["keyName"],
            PublicKeyMaterial=inputs["publicKey"].encode(),
            TagSpecifications=self._tagged("key-pair", inputs),
        )
        return inputs["keyName"], {}

    def _volume(self, inputs: Json, adopt: str | None) -> Made:
        if adopt is not None:
            return adopt, {}
        made = self.ec2.create_volume(
            AvailabilityZone=inputs["availabilityZone"],
            Size=inputs["size"],
            VolumeType=inputs["type"],
            Encrypted=inputs["encrypted"],
            TagSpecifications=self._tagged("volume", inputs),
        )
        return made["VolumeId"], {}

    def _port(self, inputs: Json, _: str | None) -> Made:
        made = self.ec2.create_network_interface(
            SubnetId=inputs["subnetId"],
            Groups=inputs["securityGroups"],
            TagSpecifications=self._tagged("network-interface", inputs),
        )
        return made["NetworkInterface"]["NetworkInterfaceId"], {}

    def _machine(self, inputs: Json, _: str | None) -> Made:
        metadata, root = inputs["metadataOptions"], inputs["rootBlockDevice"]
        options: Json = {}
        if "creditSpecification" in inputs:
            options["CreditSpecification"] = {"CpuCredits": inputs["creditSpecification"]["cpuCredits"]}
        (machine,) = self.ec2.run_instances(
            ImageId=inputs["ami"],
            InstanceType=inputs["instanceType"],
            MinCount=1,
            MaxCount=1,
            KeyName=inputs["keyName"],
            UserData=inputs["userData"],
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "NetworkInterfaceId": inputs["primaryNetworkInterface"]["networkInterfaceId"],
                }
            ],
            MetadataOptions={
                "HttpEndpoint": metadata["httpEndpoint"],
                "HttpTokens": metadata["httpTokens"],
                "HttpPutResponseHopLimit": metadata["httpPutResponseHopLimit"],
            },
            BlockDeviceMappings=[
                {
                    "DeviceName": "/dev/xvda",
                    "Ebs": {
                        "VolumeSize": root["volumeSize"],
                        "VolumeType": root["volumeType"],
                        "Encrypted": root["encrypted"],
                        "DeleteOnTermination": root["deleteOnTermination"],
                    },
                }
            ],
            InstanceInitiatedShutdownBehavior=inputs["instanceInitiatedShutdownBehavior"],
            TagSpecifications=self._tagged("instance", inputs),
            **options,
        )["Instances"]
        return machine["InstanceId"], {}

    def _attachment(self, inputs: Json, _: str | None) -> Made:
        volume = self._volume_named(inputs["volumeId"])
        machine = self._machine_named(inputs["instanceId"])
        # What EC2 refuses and moto lets through.
        assert volume["State"] == "available", "VolumeInUse"
        assert volume["AvailabilityZone"] == self.zone_of(machine), "InvalidVolume.ZoneMismatch"
        self.ec2.attach_volume(
            VolumeId=inputs["volumeId"], InstanceId=inputs["instanceId"], Device=inputs["deviceName"]
        )
        return "attached", {}

    def _address(self, inputs: Json, _: str | None) -> Made:
        made = self.ec2.allocate_address(
            Domain=inputs["domain"], TagSpecifications=self._tagged("elastic-ip", inputs)
        )
        return made["AllocationId"], {"allocationId": made["AllocationId"], "publicIp": made["PublicIp"]}

    def _association(self, inputs: Json, _: str | None) -> Made:
        made = self.ec2.associate_address(
            AllocationId=inputs["allocationId"],
            NetworkInterfaceId=inputs["networkInterfaceId"],
            AllowReassociation=inputs["allowReassociation"],
        )
        return made["AssociationId"], {}

    # What is looked up

    def _offerings(self, args: Json) -> Json:
        (asked,) = args["filters"]
        found = self.ec2.describe_instance_type_offerings(
            LocationType=args["locationType"], Filters=[{"Name": asked["name"], "Values": asked["values"]}]
        )["InstanceTypeOfferings"]
        return {"locations": [one["Location"] for one in found]}

    def _types(self, _: Json) -> Json:
        pages = self.ec2.get_paginator("describe_instance_types").paginate()
        return {"instanceTypes": [one["InstanceType"] for page in pages for one in page["InstanceTypes"]]}

    def _type(self, args: Json) -> Json:
        (found,) = self.ec2.describe_instance_types(InstanceTypes=[args["instanceType"]])["InstanceTypes"]
        return {
            "memorySize": found["MemoryInfo"]["SizeInMiB"],
            "defaultVcpus": found["VCpuInfo"]["DefaultVCpus"],
            "supportedArchitectures": found["ProcessorInfo"]["SupportedArchitectures"],
        }

    def _parameter(self, args: Json) -> Json:
        return {"value": self.ssm.get_parameter(Name=args["name"])["Parameter"]["Value"]}

    def _subnet(self, args: Json) -> Json:
        if "id" in args:
            found = _asking(lambda: self.ec2.describe_subnets(SubnetIds=[args["id"]])["Subnets"])
        else:
            filters = [
                {"Name": "default-for-az", "Values": ["true"]},
                {"Name": "availability-zone", "Values": [args["availabilityZone"]]},
            ]
            found = self.ec2.describe_subnets(Filters=filters)["Subnets"]
        one = _one(found, "EC2 Subnet")
        return {"id": one["SubnetId"], "availabilityZone": one["AvailabilityZone"], "vpcId": one["VpcId"]}

    def _volume_there(self, args: Json) -> Json:
        (asked,) = args["filters"]
        found = _asking(lambda: self.ec2.describe_volumes(VolumeIds=asked["values"])["Volumes"])
        one = _one(found, "EC2 EBS Volume")
        return {"id": one["VolumeId"], "availabilityZone": one["AvailabilityZone"], "size": one["Size"]}

    def _volumes_there(self, args: Json) -> Json:
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in args["tags"].items()]
        return {"ids": [one["VolumeId"] for one in self.ec2.describe_volumes(Filters=filters)["Volumes"]]}

    def _key_pair_there(self, args: Json) -> Json:
        found = _asking(lambda: self.ec2.describe_key_pairs(KeyNames=[args["keyName"]])["KeyPairs"])
        return {"keyName": _one(found, "EC2 Key Pair")["KeyName"]}

    def _machine_there(self, args: Json) -> Json:
        return {"instanceState": self._machine_named(args["instanceId"])["State"]["Name"]}

    # What tests ask

    def machines(self) -> list[Json]:
        """All machines that were not terminated."""
        found = self.ec2.describe_instances()["Reservations"]
        return [
            machine
            for reservation in found
            for machine in reservation["Instances"]
            if machine["State"]["Name"] != "terminated"
        ]

    def _machine_named(self, identity: str) -> Json:
        found = _asking(lambda: self.ec2.describe_instances(InstanceIds=[identity])["Reservations"])
        machine: Json = _one(found, "EC2 Instance")["Instances"][0]
        return machine

    def _volume_named(self, identity: str) -> Json:
        volume: Json = self.ec2.describe_volumes(VolumeIds=[identity])["Volumes"][0]
        return volume

    def zone_of(self, machine: Json) -> str:
        """Where a machine is: where its port is, which moto does not carry over to its placement."""
        subnets = self.ec2.describe_subnets(SubnetIds=[machine["NetworkInterfaces"][0]["SubnetId"]])
        return str(subnets["Subnets"][0]["AvailabilityZone"])

    def data_volumes(self) -> list[Json]:
        """All volumes that are no machine's root disk."""
        return [
            volume
            for volume in self.ec2.describe_volumes()["Volumes"]
            if not any(a["Device"] == "/dev/xvda" for a in volume["Attachments"])
        ]

    def state(self) -> dict[str, Json]:
        """What the engine's state would hold of a machine and its volume."""
        (machine,), (volume,) = self.machines(), self.data_volumes()
        known = {
            "id": volume["VolumeId"],
            "availabilityZone": volume["AvailabilityZone"],
            "size": volume["Size"],
        }
        return {
            "aws:ec2/instance:Instance::hub-machine": {"id": machine["InstanceId"]},
            "aws:ebs/volume:Volume::hub-data": known,
        }

    def remove_machine(self) -> None:
        """What the engine does before it makes another: the machine goes, then what it hung on."""
        (machine,) = self.machines()
        (port,) = machine["NetworkInterfaces"]
        (volume,) = self.data_volumes()
        self.ec2.terminate_instances(InstanceIds=[machine["InstanceId"]])
        if self._volume_named(volume["VolumeId"])["Attachments"]:
            self.ec2.detach_volume(VolumeId=volume["VolumeId"])
        for address in self.ec2.describe_addresses()["Addresses"]:
            self.ec2.disassociate_address(AssociationId=address["AssociationId"])
        self.ec2.delete_network_interface(NetworkInterfaceId=port["NetworkInterfaceId"])


def _asking(question: Callable[[], list[Json]]) -> list[Json]:
    try:
        return question()
    except ClientError as error:
        raise LookupFailedError(f"1 error occurred:\n\t* {error}") from None


def _one(found: Sequence[Json], what: str) -> Json:
    if len(found) != 1:
        raise LookupFailedError(f"1 error occurred:\n\t* no matching {what} found")
    return found[0]


@functools.cache
def client(service: str, region: str) -> Any:
    """A client of the service; making one takes longer than all that is asked of it."""
    return boto3.client(service, region_name=region)


@contextmanager
def amazon() -> Iterator[None]:
    """Have boto3 ask moto; starting that takes longer than most tests."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in _CREDENTIALS.items():
            environment.setenv(name, value)
        with moto.mock_aws():
            yield


def account(region: str = "ca-central-1") -> Account:
    """An account as Amazon gives it: with a default network and nothing else. Call it inside amazon()."""
    ec2_backends.reset()
    return Account(region, client("ec2", region), client("ssm", region))
