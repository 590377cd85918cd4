"""Turns the settings of a stack on AWS into what its region has, or says what it has not."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.clouds import data_volume
from infra.clouds.asking import NotThereError, nearest
from infra.clouds.aws import facts
from infra.clouds.aws.cost import FREE_TYPES
from infra.clouds.aws.region import MachineType, Region, Subnet, ZoneVolume
from infra.clouds.chooser import Already, Chooser, Outputs
from infra.clouds.context import Context
from infra.clouds.tags import tags
from infra.stack.clouds import AwsCloud
from infra.stack.stack_file import wrong


@dataclass(frozen=True, kw_only=True)
class RegionHas:
    """What the region has of what the settings ask for."""

    already: Already
    machine_type: MachineType
    image_id: str
    subnet: Subnet


def volume_tags(context: Context) -> dict[str, str]:
    """A stack's data volume: `destroy` keeps it, and the next deployment finds it by these."""
    return {**tags(context.project, context.stack), "Name": data_volume.name(context.stack)}


class RegionChooser(Chooser[ZoneVolume]):
    """Asks a region for what the settings name."""

    RUNNING = "running"

    def __init__(
        self, cloud: AwsCloud, context: Context, region: Region, in_state: Mapping[str, Outputs]
    ) -> None:
        """Choose for a stack.

        :param in_state: the stack's resources after its last update.
        """
        super().__init__(cloud, context.stack, in_state, machine=facts.INSTANCE, volume=facts.VOLUME)
        self._cloud = cloud
        self._tags = volume_tags(context)
        self._region = region

    def choose(self) -> RegionHas:
        """What to make the machine of. Raises pulumi.RunError with every fault that was found."""
        cloud, region = self._cloud, self._region
        zones = region.zones_with(cloud.instance_type)
        if not zones:
            self._fault("instanceType", self._no_such_type())
        volume = self._volume()
        subnet = self._subnet(zones, volume)
        if cloud.key_pair is not None and not region.has_key_pair(cloud.key_pair):
            self._fault("keyPair", f"{cloud.region} has no key pair {cloud.key_pair} of yours")
        if self._faults or subnet is None:
            raise wrong(self._faults)
        machine_type = region.machine_type(cloud.instance_type)
        if self._machine is None and not machine_type.free:
            pulumi.log.warn(self._not_in_free_plan())
        return RegionHas(
            machine_type=machine_type,
            image_id=region.image_id(machine_type.architecture),
            subnet=subnet,
            already=self._already(volume),
        )

    def _not_in_free_plan(self) -> str:
        wanted = self._cloud.instance_type
        free = self._region.free_types()
        small = next((each for each in FREE_TYPES if each in free), free[0] if free else "another")
        there = ", ".join(free) or "none"
        return (
            f"AWS's free plan has no {wanted} for this account; it has {there}. An account that is on it "
            "cannot start this machine (`not eligible for Free Tier`), and disk and address would be made "
            f"before: set cloud.instanceType to {small}. Other accounts pay for it."
        )

    def _no_such_type(self) -> str:
        wanted, region = self._cloud.instance_type, self._cloud.region
        if wanted in FREE_TYPES:
            free = [other for other in FREE_TYPES if other != wanted and self._region.zones_with(other)]
            if free:
                return f"{region} has no {wanted}; the free type there is {free[0]}"
        return f"{region} has no {wanted}{nearest(wanted, self._region.types())}"

    def _volume_in_state(self, known: Outputs) -> ZoneVolume:
        return ZoneVolume(str(known["id"]), int(known["size"]), str(known["availabilityZone"]))

    def _volume_named(self, identity: str) -> ZoneVolume | None:
        try:
            return self._region.volume(identity)
        except NotThereError:
            self._fault("dataVolumeId", f"{self._cloud.region} has no volume {identity} of yours")
            return None

    def _volume_kept(self) -> ZoneVolume | None:
        kept = self._region.volumes(self._tags)
        if len(kept) > 1:
            rule = f"there are several volumes {self._volume_name} ({', '.join(kept)}); set the one to use"
            self._fault("dataVolumeId", rule)
        return self._region.volume(kept[0]) if len(kept) == 1 else None

    def _subnet(self, zones: list[str], volume: ZoneVolume | None) -> Subnet | None:
        """Where the machine is. A volume cannot leave its zone, so the machine goes where it is."""
        if self._cloud.subnet_id is not None:
            return self._own_subnet(self._cloud.subnet_id, zones, volume)
        if volume is not None and zones and volume.zone not in zones:
            self._fault(
                "instanceType",
                f"the data volume is in {volume.zone}, which has no {self._cloud.instance_type}; choose "
                "a type that it has",
            )
            return None
        places = [volume.zone] if volume is not None else zones
        for zone in places:
            with contextlib.suppress(NotThereError):
                return self._region.default_subnet(zone)
        if places:
            self._fault(
                "subnetId",
                f"{self._cloud.region} has no default network in {' or '.join(places)}; set the subnet to "
                "use, or make a default network with `aws ec2 create-default-vpc`",
            )
        return None

    def _own_subnet(self, identity: str, zones: list[str], volume: ZoneVolume | None) -> Subnet | None:
        try:
            subnet = self._region.subnet(identity)
        except NotThereError:
            self._fault("subnetId", f"{self._cloud.region} has no subnet {identity} of yours")
            return None
        if volume is not None and subnet.zone != volume.zone:
            self._fault(
                "subnetId",
                f"{identity} is in {subnet.zone} and the data volume in {volume.zone}, which it cannot "
                f"leave; name a subnet in {volume.zone}, or see docs/aws.md on moving a volume by a snapshot",
            )
            return None
        if zones and subnet.zone not in zones:
            self._fault(
                "subnetId",
                f"{identity} is in {subnet.zone}, which has no {self._cloud.instance_type}; it is in "
                f"{', '.join(zones)}",
            )
            return None
        return subnet

    def _status(self, identity: str) -> str:
        return self._region.machine_status(identity)

    def _start(self, identity: str) -> str:
        return f"aws ec2 start-instances --region {self._cloud.region} --instance-ids {identity}"
