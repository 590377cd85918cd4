"""What the program looks up in moto's EC2, in the plug-in's words, and what tests ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.unit.engine import Answer, LookupFailedError

Json = dict[str, Any]


@dataclass
class Questions:
    """One region of an account, to look at."""

    region: str
    ec2: Any
    ssm: Any
    tags: dict[str, str] = field(default_factory=dict)
    """The plug-in's default tags."""

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

    # What is looked up

    def _offerings(self, args: Json) -> Json:
        (asked,) = args["filters"]
        found = self.ec2.describe_instance_type_offerings(
            LocationType=args["locationType"], Filters=[{"Name": asked["name"], "Values": asked["values"]}]
        )["InstanceTypeOfferings"]
        return {"locations": [one["Location"] for one in found]}

    def _types(self, args: Json) -> Json:
        filters = [{"Name": each["name"], "Values": each["values"]} for each in args.get("filters") or []]
        pages = self.ec2.get_paginator("describe_instance_types").paginate(Filters=filters)
        return {"instanceTypes": [one["InstanceType"] for page in pages for one in page["InstanceTypes"]]}

    def _type(self, args: Json) -> Json:
        (found,) = self.ec2.describe_instance_types(InstanceTypes=[args["instanceType"]])["InstanceTypes"]
        return {
            "memorySize": found["MemoryInfo"]["SizeInMiB"],
            "defaultVcpus": found["VCpuInfo"]["DefaultVCpus"],
            "freeTierEligible": found["FreeTierEligible"],
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
