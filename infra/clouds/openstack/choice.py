"""Turns the settings of an OpenStack stack into what its project has, or says what it has not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from infra.clouds.asking import Answer, NotThereError, SeveralError
from infra.clouds.chooser import Already, Chooser, Outputs, outputs
from infra.clouds.context import Context
from infra.clouds.data_volume import Volume
from infra.clouds.openstack import facts
from infra.clouds.openstack.project import Flavor, Project
from infra.machine import systems
from infra.stack.clouds import OpenStackCloud
from infra.stack.stack_file import wrong

_USERS: Final = {
    "almalinux": "almalinux",
    "centos": "centos",
    "debian": "debian",
    "rocky": "rocky",
    "ubuntu": "ubuntu",
}
"""Start of an image's name to the user that its cloud-init makes."""

_QUOTA_WORDS: Final = {
    "instances": "instances",
    "cores": "cores",
    "memory_mb": "MB of memory",
    "volumes": "volumes",
    "volume_gb": "GB of volumes",
}

_QUOTA_ADVICE: Final = "delete what is not needed, choose less, or ask the cloud's support for more"


@dataclass(frozen=True, kw_only=True)
class ProjectHas:
    """What the project has of what the settings ask for."""

    already: Already
    flavor: Flavor
    image_id: str
    user: str
    """The image's own user."""
    from_volume: bool
    """The machine's root disk is a volume."""
    network_id: str
    external_network: str
    zone_id: str | None
    """The DNS zone of the hub's record."""


def dotted(name: str) -> str:
    """A name as DNS writes it."""
    return f"{name.rstrip('.')}."


class ProjectChooser(Chooser[Volume]):
    """Asks a project for what the settings name."""

    RUNNING = "active"

    def __init__(
        self, cloud: OpenStackCloud, context: Context, project: Project, in_state: Mapping[str, Outputs]
    ) -> None:
        """Choose for a stack.

        :param in_state: the stack's resources after its last update.
        """
        super().__init__(cloud, context.stack, in_state, machine=facts.INSTANCE, volume=facts.VOLUME)
        self._cloud = cloud
        self._context = context
        self._project = project
        self._port = outputs(in_state, facts.PORT)

    def choose(self) -> ProjectHas:
        """What to make the machine of. Raises pulumi.RunError with every fault that was found."""
        cloud, project = self._cloud, self._project
        flavor = self._one("flavor", cloud.flavor, project.flavor)
        image_id = self._image_id()
        user = self._user()
        network_id = self._one("network", cloud.network, project.network_id)
        external = self._one("externalNetwork", cloud.external_network, project.external_network)
        if cloud.key_pair is not None and not project.has_key_pair(cloud.key_pair):
            self._fault("keyPair", f"you have no key pair {cloud.key_pair}; see `openstack keypair list`")
        if cloud.floating_ip is not None:
            self._check_address(cloud.floating_ip)
        zone_id = None if cloud.dns_zone is None else self._zone_id(cloud.dns_zone)
        volume = self._volume()
        if flavor is not None and self._machine is None:
            self._check_quota(flavor, has_volume=volume is not None)
        if self._faults or flavor is None or network_id is None or external is None:
            raise wrong(self._faults)
        return ProjectHas(
            flavor=flavor,
            image_id=image_id,
            user=user,
            from_volume=self._boots_from_volume(flavor),
            network_id=network_id,
            external_network=external,
            zone_id=zone_id,
            already=self._already(volume),
        )

    def _one(self, key: str, value: Any, question: Callable[[Any], Answer]) -> Answer | None:
        """What a setting names; None, and a fault, when there is no such thing or more than one."""
        try:
            return question(value)
        except NotThereError as error:
            what = _WORDS[key]
            self._fault(key, f"the project has no {what}{f' {value}' if value else ''}{error}")
        except SeveralError as error:
            self._fault(key, f"{error}; set the one to use")
        return None

    def _image_id(self) -> str:
        """The image for a new machine; a machine that runs does without when its image was retired."""
        image = self._cloud.image
        if self._machine is None and (old := systems.refusal_of_image(image)):
            self._fault("image", old)
            return ""
        try:
            return self._project.image_id(image)
        except NotThereError as error:
            if self._machine is None:
                self._fault("image", f"the project has no image {image}{error}")
                return ""
            pulumi.log.warn(
                f"cloud.image: the project has no image {image} any more{error}. The machine goes on without "
                "it; choose another before you rebuild"
            )
            return str(self._machine.get("imageId") or "")

    def _user(self) -> str:
        image = self._cloud.image
        known = next((user for start, user in _USERS.items() if image.lower().startswith(start)), None)
        user = self._cloud.ssh_user or known
        if user is None:
            self._fault("sshUser", f"the user of the image {image} is not known from its name; set it")
        return str(user)

    def _check_address(self, address: str) -> None:
        try:
            port = self._project.floating_ip_port(address)
        except NotThereError:
            self._fault(
                "floatingIp", f"the project has no address {address}; see `openstack floating ip list`"
            )
            return
        if port and port != (self._port or {}).get("id"):
            self._fault("floatingIp", f"{address} leads to another machine; take it off there first")

    def _zone_id(self, zone: str) -> str | None:
        hostname = self._context.hostname
        if hostname is None:
            self._fault("dnsZone", "the record is for web.hostname; set that too")
        elif not f".{hostname}".endswith(f".{zone.rstrip('.')}"):
            self._fault("dnsZone", f"web.hostname {hostname} is not in the zone {zone.rstrip('.')}")
        return self._one("dnsZone", dotted(zone), self._project.zone_id)

    def _volume_in_state(self, known: Outputs) -> Volume:
        size = known.get("size")
        return Volume(str(known["id"]), None if size is None else int(size))

    def _volume_named(self, identity: str) -> Volume:
        # The plug-in looks volumes up by their names only; one that is not there ends the update.
        return Volume(identity, None)

    def _volume_kept(self) -> Volume | None:
        try:
            kept = self._project.volume(self._volume_name)
        except SeveralError:
            rule = f"there are several volumes {self._volume_name}; set the id of the one to use"
            self._fault("dataVolumeId", rule)
            return None
        if kept is None or kept.status == "available":
            return kept
        self._fault(
            "dataVolumeId",
            f"the volume {self._volume_name} ({kept.id}) of an earlier deployment is {kept.status}; "
            "detach it from its machine and try again, or set the id of another",
        )
        return None

    def _status(self, identity: str) -> str:
        return self._project.machine_status(identity)

    def _start(self, identity: str) -> str:
        return f"openstack server start {identity}"

    def _check_quota(self, flavor: Flavor, *, has_volume: bool) -> None:
        from_volume = self._boots_from_volume(flavor)
        needs = {
            "instances": 1,
            "cores": flavor.cpus,
            "memory_mb": flavor.memory_mb,
            "volumes": (not has_volume) + from_volume,
            "volume_gb": (not has_volume) * self._cloud.data_gb + from_volume * self._cloud.boot_gb,
        }
        room = self._project.room()
        for what, need in needs.items():
            if need > room.get(what, need):
                self._fault(
                    "",
                    f"{need} {_QUOTA_WORDS[what]} are needed, and the project's quota has room for "
                    f"{room[what]}; {_QUOTA_ADVICE}",
                )

    def _boots_from_volume(self, flavor: Flavor) -> bool:
        boot = self._cloud.boot
        return boot == "volume" or (boot == "auto" and flavor.disk_gb == 0)


_WORDS: Final = {
    "flavor": "flavor",
    "network": "network",
    "externalNetwork": "external network",
    "dnsZone": "DNS zone",
}
"""Setting to what it names."""
