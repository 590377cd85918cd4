"""What a cloud's operator does, and a research group then finds: services, images, flavors, a project.

Names are like those on Arbutus.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import openstack
import yaml
from openstack.connection import Connection
from openstack.identity.v3._proxy import Proxy as Identity

from tests.openstack.rig.place import Place
from tests.openstack.rig.waiting import PASSING, until
from tests.vm.guest_image import GuestImage

FLAVOR: Final = "c2-3gb-20"
"""Two cores, 3 GB, and a root disk of its own."""

FLAVOR_WITHOUT_DISK: Final = "p2-3gb"
"""The same without a disk: its machines start from a volume."""

IMAGE: Final = "Debian-12"

EXTERNAL_NETWORK: Final = "Public-Network"

GROUP: Final = "def-group"
"""The project of a research group."""

_SERVICES: Final = {
    "glance": ("image", 9292, ""),
    "placement": ("placement", 8778, ""),
    "nova": ("compute", 8774, "/v2.1"),
    "neutron": ("network", 9696, ""),
    "cinder": ("volumev3", 8776, "/v3/%(project_id)s"),
}
"""Service to what the catalog says of it: type, port and path."""

_COMMAND_LINE: Final = "root=/dev/vda ro console=ttyS0 net.ifnames=0 mitigations=off quiet"

_READY_SECONDS: Final = 240


def connect(place: Place) -> Connection:
    """Sign in as the operator."""
    return openstack.connect(
        auth_url=place.identity_url,
        username="admin",
        password=place.password,
        project_name="admin",
        user_domain_name="Default",
        project_domain_name="Default",
        region_name="RegionOne",
    )


def register(cloud: Connection, place: Place) -> None:
    """Make the services' users and the catalog."""
    identity = _identity(cloud)
    roles = {role.name: role for role in identity.roles()}
    project = identity.create_project(name="service", domain_id="default")
    service_role = roles.get("service") or identity.create_role(name="service")
    for name, (kind, port, path) in _SERVICES.items():
        user = identity.create_user(name=name, password=place.password, domain_id="default")
        for role in (roles["admin"], service_role):
            identity.assign_project_role_to_user(project, user, role)
        service = identity.create_service(name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            identity.create_endpoint(
                service_id=service.id,
                interface=interface,
                url=f"http://{place.address}:{port}{path}",
                region_id="RegionOne",
            )


def wait_until_ready(place: Place, tell: Callable[[str], None]) -> None:
    """Return when hypervisor, network agents and volume service report themselves up.

    Signs in for each look: a connection keeps what it once found out, also that a service is not there.

    :param tell: hears what is waited for.
    Raises NotReadyError.
    """

    def missing() -> str:
        with connect(place) as cloud:
            return missing_in(cloud)

    until(missing, _READY_SECONDS, tell=tell)


def missing_in(cloud: Connection) -> str:
    """What does not report itself up yet, and why if it said so; empty: nothing."""
    parts: dict[str, Callable[[], bool]] = {
        "hypervisor": lambda: any(each.state == "up" for each in cloud.compute.hypervisors()),
        "network agents": lambda: sum(bool(each.is_alive) for each in cloud.network.agents()) >= 4,
        "volume service": lambda: (
            [each.state for each in cloud.block_storage.services() if each.binary == "cinder-volume"]
            == ["up"]
        ),
        "images": lambda: not list(cloud.image.images()),
    }
    for name, works in parts.items():
        try:
            if not works():
                return name
        except PASSING as error:
            return f"{name}: {error}"
    return ""


def offer(cloud: Connection, place: Place, image: GuestImage) -> None:
    """Make what all projects share: flavors, the image, the external network, a type of volumes."""
    for name, disk_gb in ((FLAVOR, 20), (FLAVOR_WITHOUT_DISK, 0)):
        cloud.compute.create_flavor(name=name, vcpus=2, ram=3072, disk=disk_gb)
    upload(cloud, image)
    external = cloud.network.create_network(
        name=EXTERNAL_NETWORK,
        is_router_external=True,
        provider_network_type="flat",
        provider_physical_network="public",
    )
    cloud.network.create_subnet(
        name=EXTERNAL_NETWORK,
        network_id=external.id,
        ip_version=4,
        cidr=place.external_cidr,
        gateway_ip=place.gateway,
        is_dhcp_enabled=False,
        allocation_pools=[{"start": str(place.external[100]), "end": str(place.external[199])}],
    )
    cloud.block_storage.create_type(name="rbd1")


def upload(cloud: Connection, image: GuestImage) -> None:
    """Make the image known; the newest of a name is the one that counts.

    Kernel and initrd are images of their own: what is made here has no boot loader.
    """
    boot: dict[str, Any] = {}
    for name, file, kind in (("kernel", image.kernel, "aki"), ("ramdisk", image.initrd, "ari")):
        made = cloud.create_image(
            f"{IMAGE}-{name}",
            filename=str(file),
            disk_format=kind,
            container_format=kind,
            visibility="public",
            wait=True,
        )
        assert made is not None, "it was waited for"
        boot[f"{name}_id"] = made.id
    cloud.create_image(
        IMAGE,
        filename=str(image.root),
        disk_format="qcow2",
        container_format="bare",
        visibility="public",
        wait=True,
        os_command_line=_COMMAND_LINE,
        **boot,
    )


def give_project(cloud: Connection, place: Place, clouds_yaml: Path) -> None:
    """Make a project with a member, a network and a router, and write how to sign in.

    Entries of clouds.yaml: `operator`; `member` with a password; `arbutus` with an application credential,
    which is what a group makes for itself there.
    """
    identity, network = _identity(cloud), cloud.network
    project = identity.create_project(name=GROUP, domain_id="default")
    password = secrets.token_hex(16)
    member = identity.create_user(name="researcher", password=password, domain_id="default")
    for name in ("member", "reader"):
        role = next(role for role in identity.roles() if role.name == name)
        identity.assign_project_role_to_user(project, member, role)
    own = network.create_network(name=f"{GROUP}-network", project_id=project.id)
    subnet = network.create_subnet(
        name=f"{GROUP}-network",
        project_id=project.id,
        network_id=own.id,
        ip_version=4,
        cidr="192.168.77.0/24",
        dns_nameservers=[place.gateway],
    )
    external = network.find_network(EXTERNAL_NETWORK, ignore_missing=False)
    router = network.create_router(
        name=f"{GROUP}-router", project_id=project.id, external_gateway_info={"network_id": external.id}
    )
    network.add_interface_to_router(router, subnet=subnet.id)
    as_member: dict[str, Any] = {
        "auth_url": place.identity_url,
        "username": "researcher",
        "password": password,
        "project_name": GROUP,
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    with openstack.connect(**as_member, region_name="RegionOne") as signed_in:
        credential = _identity(signed_in).create_application_credential(member.id, name="cyberhubs")
    as_operator = {
        **as_member,
        "username": "admin",
        "password": place.password,
        "project_name": "admin",
    }
    common = {"region_name": "RegionOne", "interface": "public", "identity_api_version": 3}
    entries = {
        "operator": {"auth": as_operator, **common},
        "member": {"auth": as_member, **common},
        "arbutus": {
            "auth_type": "v3applicationcredential",
            "auth": {
                "auth_url": place.identity_url,
                "application_credential_id": credential.id,
                "application_credential_secret": credential.secret,
            },
            **common,
        },
    }
    clouds_yaml.touch(mode=0o600)
    clouds_yaml.write_text(yaml.safe_dump({"clouds": entries}))


def _identity(cloud: Connection) -> Identity:
    assert isinstance(cloud.identity, Identity)
    return cloud.identity
