"""What there is in a project of the stand-in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Final

PROJECT_ID: Final = "a" * 32
SECRET: Final = "the-secret"
OUTSIDE: Final = "Public-Network"

Json = dict[str, Any]


def new_id() -> str:
    """An identity as OpenStack gives them."""
    return str(uuid.uuid4())


class RefusedError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, body: Json) -> None:
        """Refuse with this status and body."""
        super().__init__(status)
        self.status = status
        self.body = body


def missing(what: str) -> RefusedError:
    """What is said of a thing that is not there."""
    return RefusedError(404, {"itemNotFound": {"code": 404, "message": f"{what} could not be found."}})


@dataclass
class Cloud:
    """What there is in the project, for tests to look at and to change behind Pulumi's back."""

    url: str = ""
    flavors: dict[str, Json] = field(default_factory=dict)
    images: dict[str, Json] = field(default_factory=dict)
    networks: dict[str, Json] = field(default_factory=dict)
    ports: dict[str, Json] = field(default_factory=dict)
    groups: dict[str, Json] = field(default_factory=dict)
    rules: dict[str, Json] = field(default_factory=dict)
    floating_ips: dict[str, Json] = field(default_factory=dict)
    keypairs: dict[str, Json] = field(default_factory=dict)
    servers: dict[str, Json] = field(default_factory=dict)
    volumes: dict[str, Json] = field(default_factory=dict)
    cores: int = 25
    requests: list[str] = field(default_factory=list)
    refuse: str = ""
    """A request that fails, as on a cloud that is full."""

    def stock(self) -> None:
        """What a new project on Arbutus has."""
        for name, ram, cpus, disk in (
            ("c4-15gb-83", 15360, 4, 20),
            ("p4-6gb", 6144, 4, 0),
            ("p8-12gb", 12288, 8, 0),
        ):
            identity = new_id()
            self.flavors[identity] = {
                "id": identity, "name": name, "ram": ram, "vcpus": cpus, "disk": disk, "swap": "",
                "rxtx_factor": 1.0, "os-flavor-access:is_public": True, "OS-FLV-EXT-DATA:ephemeral": 0,
            }  # fmt: skip
        for name in ("AlmaLinux-9", "AlmaLinux-9", "Debian-12", "Ubuntu-24.04"):
            self.add_image(name)
        self.add_network("def-group-network", external=False)
        self.add_network(OUTSIDE, external=True)

    def add_image(self, name: str) -> str:
        """Publish an image, newer than all others."""
        identity = new_id()
        self.images[identity] = {
            "id": identity, "name": name, "status": "active", "visibility": "public", "min_disk": 0,
            "min_ram": 0, "protected": False, "checksum": "0" * 32, "size": 1, "tags": [], "owner": "x",
            "created_at": f"2026-01-01T00:00:{len(self.images):02}Z", "updated_at": "2026-01-01T00:00:00Z",
            "container_format": "bare", "disk_format": "qcow2", "file": "", "schema": "",
        }  # fmt: skip
        return identity

    def add_network(self, name: str, *, external: bool) -> str:
        """Add a network of the project, or one to the outside."""
        identity = new_id()
        self.networks[identity] = {
            "id": identity, "name": name, "router:external": external, "status": "ACTIVE", "shared": False,
            "admin_state_up": True, "subnets": [], "tenant_id": "b" * 32 if external else PROJECT_ID,
            "project_id": PROJECT_ID, "tags": [], "availability_zone_hints": [], "description": "",
        }  # fmt: skip
        return identity

    def add_volume(self, name: str, size: int) -> str:
        """A volume that somebody made."""
        identity = new_id()
        self.volumes[identity] = {
            "id": identity, "name": name, "size": size, "status": "available", "volume_type": "rbd1",
            "attachments": [], "metadata": {}, "availability_zone": "nova", "bootable": "false",
            "description": "", "snapshot_id": None, "source_volid": None, "multiattach": False,
            "created_at": "2026-01-01T00:00:00.000000", "updated_at": None, "encrypted": False,
        }  # fmt: skip
        return identity

    def lose_server(self, identity: str) -> None:
        """What an administrator of the cloud, or a failed host, does to a machine."""
        self.servers.pop(identity)
        for volume in self.volumes.values():
            volume["attachments"] = [a for a in volume["attachments"] if a["server_id"] != identity]
            volume["status"] = "in-use" if volume["attachments"] else "available"
        for port in self.ports.values():
            if port["device_id"] == identity:
                port.update(device_id="", status="DOWN")
