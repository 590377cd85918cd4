"""Where a stack's machine is: what a stack file says of each kind of cloud.

Each field's docstring is its line in the settings reference.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from hubconfig.section import Section, changing

ImageSource = Literal["build", "ship", "pull"]

DATA_DIR: Final = "/mnt"
"""Where a data volume made here is mounted, as on the hubs that were set up by hand."""

NEW_MACHINE = changing("Takes effect when the machine is rebuilt; see the page on rebuilding.")
OTHER_VOLUME = changing("Read when the stack has no data volume yet; the one it has stays.")
NEW_VOLUMES = changing("Only a new data volume has it; the one there is stays.")
NEW_PORTS = changing("The proxy restarts.")
OTHER_MACHINE = changing("Another machine gets the hub; data on the old one stays there.")
IN_PLACE = changing("Changed in place; the hub goes on.")


def _cidr(value: str) -> str:
    return str(ipaddress.ip_network(value, strict=False))


Cidr = Annotated[str, AfterValidator(_cidr)]
Gigabytes = Annotated[int, Field(ge=1, le=16_384)]
HostKey = Annotated[str, StringConstraints(pattern=r"^ssh-ed25519 [A-Za-z0-9+/=]+$")]


class RemoteCloud(Section):
    """What every machine that is reached over SSH has."""

    ssh_key_file: str | None = Field(None, json_schema_extra=NEW_MACHINE)
    """An existing private key; None: one made for the stack as ~/.ssh/cyberhubs-STACK."""


class MachineCloud(RemoteCloud):
    """What every machine that is made here has."""

    admin_cidrs: tuple[Cidr, ...] = Field(("0.0.0.0/0",), min_length=1, json_schema_extra=IN_PLACE)
    """Networks that may reach port 22. Open to the world by default, with a warning: a laptop's address
    changes, and only keys are accepted."""
    data_gb: Gigabytes = Field(180, json_schema_extra=changing("Grows in place, never shrinks."))
    """Size of the data volume in GB."""
    keep_data: bool = Field(True, json_schema_extra=IN_PLACE)
    """Keep the data volume when the stack is destroyed."""
    key_pair: str | None = Field(None, json_schema_extra=NEW_MACHINE)
    """Name of an existing key pair, the public half of sshKeyFile; None: one made from it."""

    @model_validator(mode="after")
    def _key_of_the_pair(self) -> Self:
        if self.key_pair is not None and self.ssh_key_file is None:
            raise ValueError("keyPair names a pair in the cloud; give its private half as sshKeyFile too")
        return self

    def data_path(self, _stack: str) -> str:
        """Where a stack's data are on its machine."""
        return DATA_DIR


class OpenStackCloud(MachineCloud):
    """A virtual machine on OpenStack, such as Arbutus of the Digital Research Alliance of Canada."""

    kind: Literal["openstack"]
    cloud: str | None = Field(None, json_schema_extra=changing("Another cloud: use another stack instead."))
    """Entry of clouds.yaml; None: OS_CLOUD or the OS_* variables."""
    flavor: str = Field("c4-15gb-83", json_schema_extra=changing("The machine is resized and restarts."))
    """Size of the machine: 4 cores and 15 GB."""
    image: str = Field("AlmaLinux-9", json_schema_extra=NEW_MACHINE)
    """Name of the machine's image: AlmaLinux, Rocky Linux, Debian or Ubuntu."""
    ssh_user: str | None = Field(None, json_schema_extra=NEW_MACHINE)
    """The image's own user; None: known from the image's name."""
    boot: Literal["auto", "image", "volume"] = Field("auto", json_schema_extra=NEW_MACHINE)
    """Root disk: the flavor's own (`image`) or a volume; `auto`: a volume where the flavor has no disk."""
    boot_gb: Gigabytes = Field(20, json_schema_extra=NEW_MACHINE)
    """Size in GB of the root disk when it is a volume."""
    network: str | None = Field(None, json_schema_extra=NEW_MACHINE)
    """The project's network; None: the only one there is."""
    external_network: str | None = Field(None, json_schema_extra=changing("The hub's address changes."))
    """Where floating IPs come from; None: the only external network."""
    floating_ip: str | None = Field(None, json_schema_extra=changing("The hub's address changes."))
    """An address the project already has; None: a new one."""
    availability_zone: str | None = Field(None, json_schema_extra=NEW_MACHINE)
    """Where in the cloud the machine is; None: the cloud chooses."""
    data_volume_id: str | None = Field(None, json_schema_extra=OTHER_VOLUME)
    """An existing volume to adopt as the data volume, with all that is on it."""
    data_volume_type: str | None = Field(None, json_schema_extra=NEW_VOLUMES)
    """Type of a new data volume; None: the cloud's default."""
    dns_zone: str | None = Field(None, json_schema_extra=IN_PLACE)
    """A DNS zone of the project in which web.hostname gets its record; None: no record is made."""

    image_source: ClassVar[ImageSource] = "build"


class AwsCloud(MachineCloud):
    """A virtual machine on AWS EC2."""

    kind: Literal["aws"]
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] = Field(
        "ca-central-1",
        json_schema_extra=changing("Another region has none of it: use another stack instead."),
    )
    """Where the machine is; the default is in Canada, as Arbutus is."""
    profile: str | None = Field(None, json_schema_extra=IN_PLACE)
    """Entry of ~/.aws/config; None: AWS_PROFILE or the AWS_* variables."""
    instance_type: str = Field("t2.micro", json_schema_extra=changing("The machine stops and starts."))
    """Size of the machine: 1 CPU and 1 GB, free for an account's first year."""
    root_gb: Gigabytes = Field(8, ge=8, json_schema_extra=NEW_MACHINE)
    """Size of the root disk in GB."""
    data_gb: Gigabytes = Field(50, json_schema_extra=changing("Grows in place, never shrinks."))
    """Size of the data volume in GB. The free allowance is 30 GB for all disks together."""
    data_volume_id: Annotated[str, StringConstraints(pattern=r"^vol-[0-9a-f]+$")] | None = Field(
        None, json_schema_extra=OTHER_VOLUME
    )
    """An existing volume to adopt as the data volume, with all that is on it."""
    subnet_id: Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]+$")] | None = Field(
        None, json_schema_extra=NEW_MACHINE
    )
    """The subnet of the machine; None: the default VPC's first that has the instance type."""

    image_source: ClassVar[ImageSource] = "ship"


class LocalCloud(Section):
    """This machine's own Docker engine."""

    kind: Literal["local"]
    data_dir: str | None = Field(None, json_schema_extra=changing("The hub starts with the new folder."))
    """Where users' files live; None: ~/cyberhubs-data/STACK."""
    http_port: int = Field(8080, ge=1, le=65535, json_schema_extra=NEW_PORTS)
    """Port that redirects to https; above 1023, as a laptop's own web server may have 80."""
    https_port: int = Field(8443, ge=1, le=65535, json_schema_extra=NEW_PORTS)
    """Port of the hub."""
    bind: Annotated[str, AfterValidator(lambda v: str(ipaddress.ip_address(v)))] = Field(
        "127.0.0.1", json_schema_extra=NEW_PORTS
    )
    """Address of the ports; 127.0.0.1 can be reached from this machine only."""

    image_source: ClassVar[ImageSource] = "build"

    @model_validator(mode="after")
    def _two_ports(self) -> Self:
        if self.http_port == self.https_port:
            raise ValueError("httpPort and httpsPort are the same; give each its own")
        return self

    def data_path(self, stack: str) -> str:
        """Where a stack's data are on this computer."""
        return str(Path(self.data_dir or f"~/cyberhubs-data/{stack}").expanduser().absolute())


class ServerCloud(RemoteCloud):
    """Any Linux machine reached over SSH, prepared by the script that the clouds' first boot runs."""

    kind: Literal["server"]
    address: str = Field(json_schema_extra=OTHER_MACHINE)
    """Its IP address or name."""
    ssh_user: str = Field("root", json_schema_extra=IN_PLACE)
    """A user who is root or may sudo without a password."""
    ssh_port: int = Field(22, ge=1, le=65535, json_schema_extra=IN_PLACE)
    """Where its ssh listens."""
    ssh_key_file: str = Field(json_schema_extra=IN_PLACE)
    """The private key that the machine accepts."""
    host_key: HostKey = Field(json_schema_extra=OTHER_MACHINE)
    """The machine's own key: `ssh-keyscan -t ed25519 ADDRESS`, checked on its console."""
    data_device: str | None = Field(None, json_schema_extra=OTHER_MACHINE)
    """Disk for the data, such as /dev/disk/by-id/...; formatted only if empty. None: dataDir as it is."""
    data_dir: Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._/-]+$")] = Field(
        "/mnt", json_schema_extra=changing("The hub starts with the new folder; move the data yourself.")
    )
    """Where the data is mounted, or the folder that holds it."""
    http_port: int = Field(80, ge=1, le=65535, json_schema_extra=NEW_PORTS)
    """Port that redirects to https."""
    https_port: int = Field(443, ge=1, le=65535, json_schema_extra=NEW_PORTS)
    """Port of the hub."""

    image_source: ClassVar[ImageSource] = "build"

    def data_path(self, _stack: str) -> str:
        """Where a stack's data are on its machine."""
        return self.data_dir


Cloud = OpenStackCloud | AwsCloud | LocalCloud | ServerCloud
