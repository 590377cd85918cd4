"""What a region of AWS has: types of machines, subnets, images, volumes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from infra.clouds.asking import Answer, CloudError, NotThereError, ask
from infra.clouds.aws.meaning import meaning, not_there
from infra.clouds.data_volume import Volume

_IMAGE: Final = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-"


@dataclass(frozen=True)
class MachineType:
    """A size of machine."""

    memory_mb: int
    cpus: int
    architecture: str
    """x86_64 or arm64."""
    free: bool
    """Whether AWS's free plan has it, for this account."""


@dataclass(frozen=True)
class Subnet:
    """A part of a network, in one availability zone."""

    id: str
    zone: str
    vpc_id: str


@dataclass(frozen=True)
class ZoneVolume(Volume):
    """A volume in its availability zone, which it cannot leave."""

    zone: str


class Region:
    """A region, asked through the plug-in."""

    def __init__(self, plugin: aws.Provider) -> None:
        """Ask through this plug-in."""
        self._options = pulumi.InvokeOptions(provider=plugin)

    def zones_with(self, instance_type: str) -> list[str]:
        """The availability zones that have this type of machine; none: the region has not."""
        found = self._ask(
            lambda: aws.ec2.get_instance_type_offerings(
                location_type="availability-zone",
                filters=[{"name": "instance-type", "values": [instance_type]}],
                opts=self._options,
            )
        )
        return sorted(found.locations)

    def types(self) -> list[str]:
        """All types of machines that the region has."""
        return list(self._ask(lambda: aws.ec2.get_instance_types(opts=self._options)).instance_types)

    def free_types(self) -> list[str]:
        """The types of machines that AWS's free plan has, for this account."""
        wanted = aws.ec2.GetInstanceTypesFilterArgs(name="free-tier-eligible", values=["true"])
        found = self._ask(lambda: aws.ec2.get_instance_types(filters=[wanted], opts=self._options))
        return sorted(found.instance_types)

    def machine_type(self, instance_type: str) -> MachineType:
        """A size of machine that the region has."""
        found = self._ask(lambda: aws.ec2.get_instance_type(instance_type=instance_type, opts=self._options))
        architecture = "x86_64" if "x86_64" in found.supported_architectures else "arm64"
        return MachineType(
            memory_mb=found.memory_size,
            cpus=found.default_vcpus,
            architecture=architecture,
            free=bool(found.free_tier_eligible),
        )

    def image_id(self, architecture: str) -> str:
        """Today's Amazon Linux 2023."""
        return self._ask(lambda: aws.ssm.get_parameter(name=_IMAGE + architecture, opts=self._options)).value

    def subnet(self, identity: str) -> Subnet:
        """A subnet. Raises NotThereError."""
        found = self._ask(lambda: aws.ec2.get_subnet(id=identity, opts=self._options))
        return Subnet(found.id, found.availability_zone, found.vpc_id)

    def default_subnet(self, zone: str) -> Subnet:
        """The default network's subnet in a zone. Raises NotThereError."""
        found = self._ask(
            lambda: aws.ec2.get_subnet(availability_zone=zone, default_for_az=True, opts=self._options)
        )
        return Subnet(found.id, found.availability_zone, found.vpc_id)

    def volume(self, identity: str) -> ZoneVolume:
        """A volume. Raises NotThereError."""
        found = self._ask(
            lambda: aws.ebs.get_volume(
                filters=[{"name": "volume-id", "values": [identity]}], opts=self._options
            )
        )
        return ZoneVolume(found.id, found.size, found.availability_zone)

    def volumes(self, tags: dict[str, str]) -> list[str]:
        """The ids of all volumes with these tags."""
        return sorted(self._ask(lambda: aws.ebs.get_ebs_volumes(tags=tags, opts=self._options)).ids)

    def has_key_pair(self, name: str) -> bool:
        """Whether the account has a key pair of that name here."""
        try:
            self._ask(lambda: aws.ec2.get_key_pair(key_name=name, opts=self._options))
        except NotThereError:
            return False
        return True

    def machine_status(self, identity: str) -> str:
        """How a machine is: running, stopped ... Raises NotThereError when it is no more."""
        found = self._ask(lambda: aws.ec2.get_instance(instance_id=identity, opts=self._options))
        if found.instance_state in ("terminated", "shutting-down"):
            raise NotThereError
        return found.instance_state

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """An answer of the plug-in. Raises NotThereError, and pulumi.RunError for all else."""
        try:
            return ask(question)
        except CloudError as error:
            text = str(error)
        if not_there(text):
            raise NotThereError
        raise pulumi.RunError(meaning(text))
