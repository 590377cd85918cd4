"""Carries out what the program asks for in moto's EC2, as the plug-in does in Amazon's.

The tests then ask EC2 and not the engine's double: whether a disk is encrypted, or a port open.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pytest

from tests.unit.clouds.ec2_questions import Json, Questions
from tests.unit.engine import opened

# moto reads these when it is imported: without them it takes any image, key and type for good.
os.environ["MOTO_ENABLE_AMI_VALIDATION"] = "true"
os.environ["MOTO_ENABLE_KEYPAIR_VALIDATION"] = "true"
os.environ["MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION"] = "true"

import boto3
import moto
from moto.ec2.models import amis, ec2_backends

# A thousand old images, which each new account is else filled with; Amazon Linux's newest are apart.
amis.AMIS.clear()

Made = tuple[str, Mapping[str, Any]]

_CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@dataclass
class Account(Questions):
    """One region of an account, in which the program makes things."""

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
