"""Turns the settings of a stack on AWS into what its region has, or says what it has not."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.clouds import data_volume
from infra.clouds.asking import nearest
from infra.clouds.aws.region import FREE_TYPES, MachineType, NotThereError, Region, Subnet, Volume
from infra.clouds.context import Context
from infra.clouds.remote import tell_of_sleep
from infra.clouds.tags import tags
from infra.stack.clouds import AwsCloud
from infra.stack.faults import Fault
from infra.stack.stack_file import wrong

_INSTANCE: Final = "aws:ec2/instance:Instance"
_VOLUME: Final = "aws:ebs/volume:Volume"

State = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Choice:
    """What the region has of what the settings ask for."""

    machine_type: MachineType
    image_id: str
    subnet: Subnet
    adopt: str | None
    """A volume to take over as the data volume."""
    not_running: str | None
    """The id of the stack's machine when that is stopped or gone."""


def volume_tags(context: Context) -> dict[str, str]:
    """A stack's data volume: `destroy` keeps it, and the next deployment finds it by these."""
    return {**tags(context.project, context.stack), "Name": f"cyberhub-{context.stack}-data"}


class Chooser:
    """Asks a region for what the settings name, and collects all that is wrong with them."""

    def __init__(self, cloud: AwsCloud, context: Context, region: Region, in_state: State) -> None:
        """Choose for a stack.

        :param in_state: the stack's resources after its last update.
        """
        self._cloud = cloud
        self._context = context
        self._region = region
        self._machine = _outputs(in_state, _INSTANCE)
        self._volume = _outputs(in_state, _VOLUME)
        self._faults: list[Fault] = []

    def choose(self) -> Choice:
        """What to make the machine of. Raises pulumi.RunError with every fault that was found."""
        cloud, region = self._cloud, self._region
        zones = region.zones_with(cloud.instance_type)
        if not zones:
            self._fault("instanceType", self._no_such_type())
        volume = self._volume_there()
        subnet = self._subnet(zones, volume)
        if cloud.key_pair is not None and not region.has_key_pair(cloud.key_pair):
            self._fault("keyPair", f"{cloud.region} has no key pair {cloud.key_pair} of yours")
        if self._faults or subnet is None:
            raise wrong(self._faults)
        machine_type = region.machine_type(cloud.instance_type)
        return Choice(
            machine_type=machine_type,
            image_id=region.image_id(machine_type.architecture),
            subnet=subnet,
            adopt=volume.id if volume is not None and self._volume is None else None,
            not_running=self._not_running(),
        )

    def _fault(self, key: str, rule: str) -> None:
        self._faults.append(Fault(f"cloud.{key}", rule))

    def _no_such_type(self) -> str:
        wanted, region = self._cloud.instance_type, self._cloud.region
        if wanted in FREE_TYPES:
            free = [other for other in FREE_TYPES if other != wanted and self._region.zones_with(other)]
            if free:
                return f"{region} has no {wanted}; the free type there is {free[0]}"
        return f"{region} has no {wanted}{nearest(wanted, self._region.types())}"

    def _volume_there(self) -> Volume | None:
        """The volume that the stack has, or takes over: the settings' one, or what `destroy` kept."""
        found = None
        if self._volume is not None:
            known = self._volume
            found = Volume(str(known["id"]), str(known["availabilityZone"]), int(known["size"]))
        elif self._cloud.data_volume_id is not None:
            found = self._volume_named(self._cloud.data_volume_id)
        else:
            found = self._volume_kept()
        if found is not None:
            data_volume.refuse_to_shrink(self._cloud.data_gb, found.size_gb)
        return found

    def _volume_named(self, identity: str) -> Volume | None:
        try:
            found = self._region.volume(identity)
        except NotThereError:
            self._fault("dataVolumeId", f"{self._cloud.region} has no volume {identity} of yours")
            return None
        data_volume.tell_of_adoption(identity, identity, named=True)
        return found

    def _volume_kept(self) -> Volume | None:
        tags = volume_tags(self._context)
        kept = self._region.volumes(tags)
        if len(kept) > 1:
            rule = f"there are several volumes {tags['Name']} ({', '.join(kept)}); set the one to use"
            self._fault("dataVolumeId", rule)
        if len(kept) != 1:
            return None
        data_volume.tell_of_adoption(tags["Name"], kept[0], named=False)
        return self._region.volume(kept[0])

    def _subnet(self, zones: list[str], volume: Volume | None) -> Subnet | None:
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

    def _own_subnet(self, identity: str, zones: list[str], volume: Volume | None) -> Subnet | None:
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

    def _not_running(self) -> str | None:
        """The id of the machine that should be there, when it does not run."""
        if self._machine is None:
            return None
        identity = str(self._machine["id"])
        status = None
        with contextlib.suppress(NotThereError):
            status = self._region.machine_status(identity)
        if status == "running":
            return None
        where = f"--region {self._cloud.region}"
        tell_of_sleep(status, f"aws ec2 start-instances {where} --instance-ids {identity}")
        return identity


def _outputs(in_state: State, resource_type: str) -> Mapping[str, Any] | None:
    """The outputs of the stack's one resource of a type; None before it is made."""
    found = (one.get("outputs") or {} for one in in_state.values() if one.get("type") == resource_type)
    return next(found, None)
