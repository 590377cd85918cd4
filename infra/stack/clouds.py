"""Where a stack's machine is: what a stack file says of each kind of cloud.

Each field's docstring is its line in the settings reference.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from hubconfig.host_key import host_key
from hubconfig.section import Changing, Section

ImageSource = Literal["build", "ship", "pull"]

DATA_DIR: Final = "/mnt"
"""Where a data volume made here is mounted, as on the hubs that were set up by hand."""

NEW_MACHINE = Changing("Takes effect when the machine is rebuilt; see the page on rebuilding.")
OTHER_VOLUME = Changing("Read when the stack has no data volume yet; the one it has stays.")
NEW_VOLUMES = Changing("Only a new data volume has it; the one there is stays.")
NEW_PORTS = Changing("The proxy restarts.")
OTHER_MACHINE = Changing("Another machine gets the hub; data on the old one stays there.")
IN_PLACE = Changing("Changed in place; the hub goes on.")


def _cidr(value: str) -> str:
    return str(ipaddress.ip_network(value, strict=False))


Address = Annotated[str, AfterValidator(lambda value: str(ipaddress.ip_address(value)))]
Cidr = Annotated[str, AfterValidator(_cidr)]
EbsVolume = Annotated[str, StringConstraints(pattern=r"^vol-[0-9a-f]+$")]
Gigabytes = Annotated[int, Field(ge=1, le=16_384)]
HostKey = Annotated[
    str, BeforeValidator(host_key), StringConstraints(pattern=r"^ssh-ed25519 [A-Za-z0-9+/=]+$")
]
Port = Annotated[int, Field(ge=1, le=65535)]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
SubnetId = Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]+$")]
WholePath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._/-]+$")]


class RemoteCloud(Section):
    """What every machine that is reached over SSH has."""

    ssh_key_file: Annotated[str | None, NEW_MACHINE] = None
    """An existing private key; None: one made for the stack as ~/.ssh/cyberhubs-STACK."""


class MachineCloud(RemoteCloud):
    """What every machine that is made here has."""

    admin_cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1), IN_PLACE] = ("0.0.0.0/0",)
    """Networks that may reach port 22. Open to the world by default, with a warning: a laptop's address
    changes, and only keys are accepted."""
    data_gb: Annotated[Gigabytes, Changing("Grows in place, never shrinks.")] = 180
    """Size of the data volume in GB."""
    keep_data: Annotated[bool, IN_PLACE] = True
    """Keep the data volume when the stack is destroyed."""
    data_volume_id: Annotated[str | None, OTHER_VOLUME] = None
    """An existing volume to adopt as the data volume, with all that is on it."""
    key_pair: Annotated[str | None, NEW_MACHINE] = None
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
    cloud: Annotated[str | None, Changing("Another cloud: use another stack instead.")] = None
    """Entry of clouds.yaml; None: OS_CLOUD or the OS_* variables."""
    flavor: Annotated[str, Changing("The machine is resized and restarts.")] = "c4-15gb-83"
    """Size of the machine: 4 cores and 15 GB."""
    image: Annotated[str, NEW_MACHINE] = "AlmaLinux-9"
    """Name of the machine's image: AlmaLinux, Rocky Linux, Debian or Ubuntu."""
    ssh_user: Annotated[str | None, NEW_MACHINE] = None
    """The image's own user; None: known from the image's name."""
    boot: Annotated[Literal["auto", "image", "volume"], NEW_MACHINE] = "auto"
    """Root disk: the flavor's own (`image`) or a volume; `auto`: a volume where the flavor has no disk."""
    boot_gb: Annotated[Gigabytes, NEW_MACHINE] = 20
    """Size in GB of the root disk when it is a volume."""
    network: Annotated[str | None, NEW_MACHINE] = None
    """The project's network; None: the only one there is."""
    external_network: Annotated[str | None, Changing("The hub's address changes.")] = None
    """Where floating IPs come from; None: the only external network."""
    floating_ip: Annotated[str | None, Changing("The hub's address changes.")] = None
    """An address the project already has; None: a new one."""
    availability_zone: Annotated[str | None, NEW_MACHINE] = None
    """Where in the cloud the machine is; None: the cloud chooses."""
    data_volume_type: Annotated[str | None, NEW_VOLUMES] = None
    """Type of a new data volume; None: the cloud's default."""
    dns_zone: Annotated[str | None, IN_PLACE] = None
    """A DNS zone of the project in which web.hostname gets its record; None: no record is made."""

    image_source: ClassVar[ImageSource] = "build"


class AwsCloud(MachineCloud):
    """A virtual machine on AWS EC2."""

    kind: Literal["aws"]
    region: Annotated[Region, Changing("Another region has none of it: use another stack instead.")] = (
        "ca-central-1"
    )
    """Where the machine is; the default is in Canada, as Arbutus is."""
    profile: Annotated[str | None, IN_PLACE] = None
    """Entry of ~/.aws/config; None: AWS_PROFILE or the AWS_* variables."""
    instance_type: Annotated[str, Changing("The machine stops and starts.")] = "t2.micro"
    """Size of the machine: 1 CPU and 1 GB, free for an account's first year."""
    root_gb: Annotated[Gigabytes, Field(ge=8), NEW_MACHINE] = 8
    """Size of the root disk in GB."""
    data_gb: Annotated[Gigabytes, Changing("Grows in place, never shrinks.")] = 50
    """Size of the data volume in GB. The free allowance is 30 GB for all disks together."""
    data_volume_id: Annotated[EbsVolume | None, OTHER_VOLUME] = None
    """An existing volume to adopt as the data volume, with all that is on it."""
    subnet_id: Annotated[SubnetId | None, NEW_MACHINE] = None
    """The subnet of the machine; None: the default VPC's first that has the instance type."""

    image_source: ClassVar[ImageSource] = "ship"


class LocalCloud(Section):
    """This machine's own Docker engine."""

    kind: Literal["local"]
    data_dir: Annotated[str | None, Changing("The hub starts with the new folder.")] = None
    """Where users' files live; None: ~/cyberhubs-data/STACK."""
    http_port: Annotated[Port, NEW_PORTS] = 8080
    """Port that redirects to https; above 1023, as a laptop's own web server may have 80."""
    https_port: Annotated[Port, NEW_PORTS] = 8443
    """Port of the hub."""
    bind: Annotated[Address, NEW_PORTS] = "127.0.0.1"
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
    address: Annotated[str, OTHER_MACHINE]
    """Its IP address or name."""
    ssh_user: Annotated[str, IN_PLACE] = "root"
    """A user who is root or may sudo without a password."""
    ssh_port: Annotated[Port, IN_PLACE] = 22
    """Where its ssh listens."""
    ssh_key_file: Annotated[str, IN_PLACE]
    """The private key that the machine accepts."""
    host_key: Annotated[HostKey, OTHER_MACHINE]
    """The machine's own key: `ssh-keyscan -t ed25519 ADDRESS`, checked on its console."""
    data_device: Annotated[str | None, OTHER_MACHINE] = None
    """Disk for the data, such as /dev/disk/by-id/...; formatted only if empty. None: dataDir as it is."""
    data_dir: Annotated[
        WholePath, Changing("The hub starts with the new folder; move the data yourself.")
    ] = "/mnt"
    """Where the data is mounted, or the folder that holds it."""
    http_port: Annotated[Port, NEW_PORTS] = 80
    """Port that redirects to https."""
    https_port: Annotated[Port, NEW_PORTS] = 443
    """Port of the hub."""

    image_source: ClassVar[ImageSource] = "build"

    def data_path(self, _stack: str) -> str:
        """Where a stack's data are on its machine."""
        return self.data_dir


Cloud = OpenStackCloud | AwsCloud | LocalCloud | ServerCloud
