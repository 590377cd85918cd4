"""The parts of OpenStack's interfaces that the plug-in needs, on loopback, without any machine behind.

It answers as the real services do for what a cyberhub asks, also with their refusals, so that the real
engine and the real plug-in can be taken through a stack's whole life in seconds.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

PROJECT_ID: Final = "a" * 32
SECRET: Final = "the-secret"
TOKEN: Final = "a-token"
OUTSIDE: Final = "Public-Network"

Json = dict[str, Any]
Method = TypeVar("Method", bound=Callable[..., Json | None])


def _new_id() -> str:
    return str(uuid.uuid4())


class RefusedError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, body: Json) -> None:
        """Refuse with this status and body."""
        super().__init__(status)
        self.status = status
        self.body = body


def _missing(what: str) -> RefusedError:
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
            identity = _new_id()
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
        identity = _new_id()
        self.images[identity] = {
            "id": identity, "name": name, "status": "active", "visibility": "public", "min_disk": 0,
            "min_ram": 0, "protected": False, "checksum": "0" * 32, "size": 1, "tags": [], "owner": "x",
            "created_at": f"2026-01-01T00:00:{len(self.images):02}Z", "updated_at": "2026-01-01T00:00:00Z",
            "container_format": "bare", "disk_format": "qcow2", "file": "", "schema": "",
        }  # fmt: skip
        return identity

    def add_network(self, name: str, *, external: bool) -> str:
        """Add a network of the project, or one to the outside."""
        identity = _new_id()
        self.networks[identity] = {
            "id": identity, "name": name, "router:external": external, "status": "ACTIVE", "shared": False,
            "admin_state_up": True, "subnets": [], "tenant_id": "b" * 32 if external else PROJECT_ID,
            "project_id": PROJECT_ID, "tags": [], "availability_zone_hints": [], "description": "",
        }  # fmt: skip
        return identity

    def add_volume(self, name: str, size: int) -> str:
        """A volume that somebody made."""
        identity = _new_id()
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


ROUTES: list[tuple[str, re.Pattern[str], str]] = []


def _route(method: str, pattern: str) -> Callable[[Method], Method]:
    def remember(function: Method) -> Method:
        ROUTES.append((method, re.compile(pattern), function.__name__))
        return function

    return remember


class Services:
    """One method for each kind of request."""

    def __init__(self, cloud: Cloud) -> None:
        """Answer for this cloud."""
        self.cloud = cloud

    # Identity

    @_route("GET", r"/identity/?")
    @_route("GET", r"/identity/v3/?")
    def identity_versions(self, **_: Any) -> Json:
        links = [{"rel": "self", "href": f"{self.cloud.url}/identity/v3/"}]
        version = {"id": "v3.14", "status": "stable", "links": links, "updated": "2020-04-07T00:00:00Z"}
        return {"versions": {"values": [version]}, "version": version}

    @_route("POST", r"/identity/v3/auth/tokens")
    def sign_in(self, body: Json, **_: Any) -> Json:
        given = body["auth"]["identity"].get("application_credential") or {}
        if given.get("secret") != SECRET:
            message = "The request you have made requires authentication."
            raise RefusedError(401, {"error": {"code": 401, "message": message, "title": "Unauthorized"}})
        return self._token()

    @_route("GET", r"/identity/v3/auth/tokens")
    def token(self, **_: Any) -> Json:
        return self._token()

    def _token(self) -> Json:
        def service(kind: str, path: str) -> Json:
            endpoint = {
                "id": kind, "interface": "public", "region": "RegionOne", "region_id": "RegionOne",
                "url": f"{self.cloud.url}{path}",
            }  # fmt: skip
            return {"id": kind, "type": kind, "name": kind, "endpoints": [endpoint]}

        domain = {"id": "default", "name": "Default"}
        return {
            "token": {
                "methods": ["application_credential"],
                "expires_at": "2099-01-01T00:00:00.000000Z",
                "issued_at": "2026-01-01T00:00:00.000000Z",
                "audit_ids": ["x"],
                "user": {"id": "c" * 32, "name": "somebody", "domain": domain},
                "project": {"id": PROJECT_ID, "name": "def-group", "domain": domain},
                "roles": [{"id": "member", "name": "member"}],
                "catalog": [
                    service("identity", "/identity/v3/"),
                    service("compute", "/compute/v2.1"),
                    service("network", "/network"),
                    service("image", "/image"),
                    service("volumev3", f"/volume/v3/{PROJECT_ID}"),
                    service("block-storage", f"/volume/v3/{PROJECT_ID}"),
                ],
            }
        }

    # Images

    @_route("GET", r"/image/?")
    def image_versions(self, **_: Any) -> Json:
        return {
            "versions": [
                {
                    "id": "v2.9",
                    "status": "CURRENT",
                    "links": [{"rel": "self", "href": f"{self.cloud.url}/image/v2/"}],
                }
            ]
        }

    @_route("GET", r"/image/v2/images")
    def list_images(self, query: dict[str, str], **_: Any) -> Json:
        return {
            "images": [i for i in self.cloud.images.values() if query.get("name", i["name"]) == i["name"]]
        }

    @_route("GET", r"/image/v2/images/(?P<identity>[^/]+)")
    def image(self, identity: str, **_: Any) -> Json:
        return self._get(self.cloud.images, identity)

    # Networks

    @_route("GET", r"/network/v2.0/networks")
    def list_networks(self, query: dict[str, str], **_: Any) -> Json:
        def fits(network: Json) -> bool:
            outside = query.get("router:external")
            return (
                query.get("name", network["name"]) == network["name"]
                and query.get("id", network["id"]) == network["id"]
                and query.get("tenant_id", network["tenant_id"]) == network["tenant_id"]
                and (outside is None or (outside.lower() == "true") == network["router:external"])
            )

        return {"networks": [n for n in self.cloud.networks.values() if fits(n)]}

    @_route("POST", r"/network/v2.0/security-groups")
    def make_group(self, body: Json, **_: Any) -> Json:
        made = {
            "tags": [],
            "stateful": True,
            **self._made(body["security_group"]),
            "security_group_rules": [],
        }
        self.cloud.groups[made["id"]] = made
        for version in ("IPv4", "IPv6"):
            self._add_rule({"security_group_id": made["id"], "direction": "egress", "ethertype": version})
        return {"security_group": made}

    @_route("GET", r"/network/v2.0/security-groups/(?P<identity>[^/]+)")
    def group(self, identity: str, **_: Any) -> Json:
        return {"security_group": self._get(self.cloud.groups, identity)}

    @_route("PUT", r"/network/v2.0/security-groups/(?P<identity>[^/]+)")
    def change_group(self, identity: str, body: Json, **_: Any) -> Json:
        self._get(self.cloud.groups, identity).update(body["security_group"])
        return self.group(identity)

    @_route("DELETE", r"/network/v2.0/security-groups/(?P<identity>[^/]+)")
    def remove_group(self, identity: str, **_: Any) -> None:
        used = any(identity in port["security_groups"] for port in self.cloud.ports.values())
        if used:
            raise RefusedError(
                409, {"NeutronError": {"type": "SecurityGroupInUse", "message": "in use", "detail": ""}}
            )
        self._get(self.cloud.groups, identity)
        del self.cloud.groups[identity]
        for rule in [r for r, v in self.cloud.rules.items() if v["security_group_id"] == identity]:
            del self.cloud.rules[rule]

    def _add_rule(self, rule: Json) -> Json:
        usual = {
            "protocol": None,
            "port_range_min": None,
            "port_range_max": None,
            "remote_ip_prefix": None,
            "remote_group_id": None,
            "description": "",
        }
        made = {**usual, **self._made(rule)}
        same = [
            {k: v for k, v in r.items() if k not in ("id", "description")} for r in self.cloud.rules.values()
        ]
        if {k: v for k, v in made.items() if k not in ("id", "description")} in same:
            raise RefusedError(
                409, {"NeutronError": {"type": "SecurityGroupRuleExists", "message": "exists", "detail": ""}}
            )
        self.cloud.rules[made["id"]] = made
        return made

    @_route("POST", r"/network/v2.0/security-group-rules")
    def make_rule(self, body: Json, **_: Any) -> Json:
        return {"security_group_rule": self._add_rule(body["security_group_rule"])}

    @_route("GET", r"/network/v2.0/security-group-rules/(?P<identity>[^/]+)")
    def rule(self, identity: str, **_: Any) -> Json:
        return {"security_group_rule": self._get(self.cloud.rules, identity)}

    @_route("DELETE", r"/network/v2.0/security-group-rules/(?P<identity>[^/]+)")
    def remove_rule(self, identity: str, **_: Any) -> None:
        self._get(self.cloud.rules, identity)
        del self.cloud.rules[identity]

    @_route("POST", r"/network/v2.0/ports")
    def make_port(self, body: Json, **_: Any) -> Json:
        usual: Json = {
            "status": "DOWN", "device_id": "", "device_owner": "", "mac_address": "fa:16:3e:00:00:01",
            "tags": [],
            "allowed_address_pairs": [], "extra_dhcp_opts": [], "port_security_enabled": True, "dns_name": "",
            "fixed_ips": [{"subnet_id": "s", "ip_address": f"192.168.1.{10 + len(self.cloud.ports)}"}],
            "binding:vnic_type": "normal", "binding:host_id": "", "binding:profile": {}, "dns_assignment": [],
            "qos_policy_id": None,
        }  # fmt: skip
        made = {**usual, **self._made(body["port"])}
        self.cloud.ports[made["id"]] = made
        return {"port": made}

    @_route("GET", r"/network/v2.0/ports")
    def list_ports(self, query: dict[str, str], **_: Any) -> Json:
        device = query.get("device_id")
        return {"ports": [p for p in self.cloud.ports.values() if device in (None, p["device_id"])]}

    @_route("GET", r"/network/v2.0/ports/(?P<identity>[^/]+)")
    def port(self, identity: str, **_: Any) -> Json:
        return {"port": self._get(self.cloud.ports, identity)}

    @_route("PUT", r"/network/v2.0/ports/(?P<identity>[^/]+)")
    def change_port(self, identity: str, body: Json, **_: Any) -> Json:
        self._get(self.cloud.ports, identity).update(body["port"])
        return self.port(identity)

    @_route("DELETE", r"/network/v2.0/ports/(?P<identity>[^/]+)")
    def remove_port(self, identity: str, **_: Any) -> None:
        self._get(self.cloud.ports, identity)
        del self.cloud.ports[identity]
        for address in self.cloud.floating_ips.values():
            if address["port_id"] == identity:
                address.update(port_id=None, fixed_ip_address=None, status="DOWN")

    @_route("PUT", r"/network/v2.0/(?P<kind>[a-z-]+)/(?P<identity>[^/]+)/tags")
    def tag(self, kind: str, identity: str, body: Json, **_: Any) -> Json:
        kinds = {
            "ports": self.cloud.ports,
            "security-groups": self.cloud.groups,
            "floatingips": self.cloud.floating_ips,
        }
        self._get(kinds[kind], identity)["tags"] = body["tags"]
        return body

    @_route("GET", r"/network/v2.0/floatingips")
    def list_addresses(self, query: dict[str, str], **_: Any) -> Json:
        def fits(address: Json) -> bool:
            return all(address.get(key) == value for key, value in query.items())

        return {"floatingips": [a for a in self.cloud.floating_ips.values() if fits(a)]}

    @_route("POST", r"/network/v2.0/floatingips")
    def make_address(self, body: Json, **_: Any) -> Json:
        usual: Json = {
            "floating_ip_address": f"172.24.4.{100 + len(self.cloud.floating_ips)}", "port_id": None,
            "tags": [],
            "fixed_ip_address": None, "status": "DOWN", "router_id": None, "dns_name": "", "dns_domain": "",
        }  # fmt: skip
        made = {**usual, **{k: v for k, v in self._made(body["floatingip"]).items() if v != ""}}
        self.cloud.floating_ips[made["id"]] = made
        return {"floatingip": made}

    @_route("GET", r"/network/v2.0/floatingips/(?P<identity>[^/]+)")
    def address(self, identity: str, **_: Any) -> Json:
        return {"floatingip": self._get(self.cloud.floating_ips, identity)}

    @_route("PUT", r"/network/v2.0/floatingips/(?P<identity>[^/]+)")
    def change_address(self, identity: str, body: Json, **_: Any) -> Json:
        changes = body["floatingip"]
        address = self._get(self.cloud.floating_ips, identity)
        address.update(changes)
        if "port_id" in changes:
            port = self.cloud.ports.get(changes["port_id"] or "")
            address["status"] = "ACTIVE" if port else "DOWN"
            address["fixed_ip_address"] = port["fixed_ips"][0]["ip_address"] if port else None
        return {"floatingip": address}

    @_route("DELETE", r"/network/v2.0/floatingips/(?P<identity>[^/]+)")
    def remove_address(self, identity: str, **_: Any) -> None:
        self._get(self.cloud.floating_ips, identity)
        del self.cloud.floating_ips[identity]

    # Machines

    @_route("GET", r"/compute/v2.1/?")
    def compute_version(self, **_: Any) -> Json:
        links = [{"rel": "self", "href": f"{self.cloud.url}/compute/v2.1/"}]
        return {
            "version": {
                "id": "v2.1",
                "status": "CURRENT",
                "version": "2.93",
                "min_version": "2.1",
                "links": links,
            }
        }

    @_route("GET", r"/compute/v2.1/limits")
    def compute_limits(self, **_: Any) -> Json:
        used = sum(self.cloud.flavors[s["flavor"]["id"]]["vcpus"] for s in self.cloud.servers.values())
        return {
            "limits": {
                "rate": [],
                "absolute": {
                    "maxTotalInstances": 10, "totalInstancesUsed": len(self.cloud.servers),
                    "maxTotalCores": self.cloud.cores, "totalCoresUsed": used,
                    "maxTotalRAMSize": 51200, "totalRAMUsed": 0,
                },
            }
        }  # fmt: skip

    @_route("GET", r"/compute/v2.1/flavors(/detail)?")
    def list_flavors(self, query: dict[str, str], **_: Any) -> Json:
        return {"flavors": [] if query.get("marker") else list(self.cloud.flavors.values())}

    @_route("GET", r"/compute/v2.1/flavors/(?P<identity>[^/]{30,})")
    def flavor(self, identity: str, **_: Any) -> Json:
        return {"flavor": self._get(self.cloud.flavors, identity)}

    @_route("GET", r"/compute/v2.1/flavors/(?P<identity>[^/]+)/os-extra_specs")
    def flavor_specs(self, identity: str, **_: Any) -> Json:
        return {"extra_specs": {}}

    @_route("POST", r"/compute/v2.1/os-keypairs")
    def make_keypair(self, body: Json, **_: Any) -> Json:
        made = body["keypair"]
        if made["name"] in self.cloud.keypairs:
            message = f"Key pair '{made['name']}' already exists."
            raise RefusedError(409, {"conflictingRequest": {"code": 409, "message": message}})
        self.cloud.keypairs[made["name"]] = {**made, "fingerprint": "00", "user_id": "c" * 32}
        return {"keypair": self.cloud.keypairs[made["name"]]}

    @_route("GET", r"/compute/v2.1/os-keypairs/(?P<identity>[^/]+)")
    def keypair(self, identity: str, **_: Any) -> Json:
        return {"keypair": self._get(self.cloud.keypairs, identity)}

    @_route("DELETE", r"/compute/v2.1/os-keypairs/(?P<identity>[^/]+)")
    def remove_keypair(self, identity: str, **_: Any) -> None:
        self._get(self.cloud.keypairs, identity)
        del self.cloud.keypairs[identity]

    @_route("POST", r"/compute/v2.1/servers")
    def make_server(self, body: Json, **_: Any) -> Json:
        asked = body["server"]
        flavor = self._get(self.cloud.flavors, asked["flavorRef"].rpartition("/")[2])
        used = sum(self.cloud.flavors[s["flavor"]["id"]]["vcpus"] for s in self.cloud.servers.values())
        if used + flavor["vcpus"] > self.cloud.cores:
            message = f"Quota exceeded for cores: Requested {flavor['vcpus']}, but already used {used}"
            raise RefusedError(403, {"forbidden": {"code": 403, "message": message}})
        if asked.get("key_name") not in self.cloud.keypairs:
            raise RefusedError(400, {"badRequest": {"code": 400, "message": "Invalid key_name provided."}})
        port = self._get(self.cloud.ports, asked["networks"][0]["port"])
        if port["device_id"]:
            message = f"Port {port['id']} is still in use."
            raise RefusedError(409, {"conflictingRequest": {"code": 409, "message": message}})
        identity = _new_id()
        port.update(device_id=identity, status="ACTIVE", device_owner="compute:nova")
        self.cloud.servers[identity] = {
            "id": identity,
            "name": asked["name"],
            "status": "ACTIVE",
            "flavor": {"id": flavor["id"], "links": []},
            "image": {"id": asked["imageRef"], "links": []} if asked.get("imageRef") else "",
            "key_name": asked.get("key_name"),
            "metadata": asked.get("metadata") or {},
            "addresses": self._addresses(port),
            "user_data": asked.get("user_data"),
            "config_drive": str(asked.get("config_drive") or ""),
            "block_device_mapping": asked.get("block_device_mapping_v2") or [],
            "OS-EXT-STS:vm_state": "active",
            "OS-EXT-STS:power_state": 1,
            "OS-EXT-AZ:availability_zone": "nova",
            "security_groups": [],
            "created": "2026-01-01T00:00:00Z",
            "updated": "2026-01-01T00:00:00Z",
            "hostId": "h",
            "links": [],
            "os-extended-volumes:volumes_attached": [],
            "tenant_id": PROJECT_ID,
            "user_id": "c" * 32,
            "accessIPv4": "",
            "accessIPv6": "",
        }  # fmt: skip
        return {"server": {"id": identity, "adminPass": "x", "links": [], "security_groups": []}}

    def _addresses(self, port: Json) -> Json:
        address = {
            "addr": port["fixed_ips"][0]["ip_address"],
            "version": 4,
            "OS-EXT-IPS:type": "fixed",
            "OS-EXT-IPS-MAC:mac_addr": port["mac_address"],
        }
        return {self.cloud.networks[port["network_id"]]["name"]: [address]}

    @_route("GET", r"/compute/v2.1/servers/(?P<identity>[^/]+)")
    def server(self, identity: str, **_: Any) -> Json:
        return {"server": self._get(self.cloud.servers, identity)}

    @_route("PUT", r"/compute/v2.1/servers/(?P<identity>[^/]+)")
    def change_server(self, identity: str, body: Json, **_: Any) -> Json:
        self._get(self.cloud.servers, identity).update(body["server"])
        return self.server(identity)

    @_route("POST", r"/compute/v2.1/servers/(?P<identity>[^/]+)/metadata")
    def change_metadata(self, identity: str, body: Json, **_: Any) -> Json:
        self._get(self.cloud.servers, identity)["metadata"] = body["metadata"]
        return body

    @_route("POST", r"/compute/v2.1/servers/(?P<identity>[^/]+)/action")
    def act(self, identity: str, body: Json, **_: Any) -> None:
        server = self._get(self.cloud.servers, identity)
        (action,) = body
        match action:
            case "os-stop":
                server.update({"status": "SHUTOFF", "OS-EXT-STS:vm_state": "stopped"})
            case "os-start":
                server.update({"status": "ACTIVE", "OS-EXT-STS:vm_state": "active"})
            case "resize":
                server["flavor"] = {"id": body["resize"]["flavorRef"], "links": []}
                server.update({"status": "VERIFY_RESIZE", "OS-EXT-STS:vm_state": "resized"})
            case "confirmResize":
                server.update({"status": "ACTIVE", "OS-EXT-STS:vm_state": "active"})
            case _:
                raise RefusedError(400, {"badRequest": {"code": 400, "message": f"no action {action}"}})

    @_route("DELETE", r"/compute/v2.1/servers/(?P<identity>[^/]+)")
    def remove_server(self, identity: str, **_: Any) -> None:
        self._get(self.cloud.servers, identity)
        self.cloud.lose_server(identity)

    @_route("GET", r"/compute/v2.1/servers/(?P<identity>[^/]+)/os-interface")
    def interfaces(self, identity: str, **_: Any) -> Json:
        ports = [p for p in self.cloud.ports.values() if p["device_id"] == identity]
        return {
            "interfaceAttachments": [
                {
                    "port_id": p["id"],
                    "net_id": p["network_id"],
                    "mac_addr": p["mac_address"],
                    "port_state": "ACTIVE",
                    "fixed_ips": p["fixed_ips"],
                }
                for p in ports
            ]
        }

    @_route("POST", r"/compute/v2.1/servers/(?P<identity>[^/]+)/os-volume_attachments")
    def attach(self, identity: str, body: Json, **_: Any) -> Json:
        self._get(self.cloud.servers, identity)
        volume = self._get(self.cloud.volumes, body["volumeAttachment"]["volumeId"])
        if volume["status"] != "available":
            message = f"volume {volume['id']} already attached"
            raise RefusedError(400, {"badRequest": {"code": 400, "message": message}})
        volume["status"] = "in-use"
        volume["attachments"] = [
            {
                "id": volume["id"],
                "attachment_id": _new_id(),
                "server_id": identity,
                "volume_id": volume["id"],
                "device": "/dev/vdb",
            }
        ]
        return {
            "volumeAttachment": {
                "id": volume["id"],
                "serverId": identity,
                "volumeId": volume["id"],
                "device": "/dev/vdb",
            }
        }

    @_route("GET", r"/compute/v2.1/servers/(?P<identity>[^/]+)/os-volume_attachments(/(?P<volume>[^/]+))?")
    def attachment(self, identity: str, volume: str | None = None, **_: Any) -> Json:
        self._get(self.cloud.servers, identity)
        found = [
            {"id": v["id"], "serverId": identity, "volumeId": v["id"], "device": "/dev/vdb"}
            for v in self.cloud.volumes.values()
            if any(a["server_id"] == identity for a in v["attachments"])
        ]
        if volume is None:
            return {"volumeAttachments": found}
        if not [a for a in found if a["id"] == volume]:
            raise _missing("attachment")
        return {"volumeAttachment": next(a for a in found if a["id"] == volume)}

    @_route("DELETE", r"/compute/v2.1/servers/(?P<identity>[^/]+)/os-volume_attachments/(?P<volume>[^/]+)")
    def detach(self, identity: str, volume: str, **_: Any) -> None:
        self.attachment(identity, volume)
        self.cloud.volumes[volume].update(status="available", attachments=[])

    # Volumes

    @_route("GET", r"/volume/v3/[^/]+/limits")
    def volume_limits(self, **_: Any) -> Json:
        used = sum(volume["size"] for volume in self.cloud.volumes.values())
        absolute = {
            "maxTotalVolumes": 10, "totalVolumesUsed": len(self.cloud.volumes),
            "maxTotalVolumeGigabytes": 10240, "totalGigabytesUsed": used,
        }  # fmt: skip
        return {"limits": {"rate": [], "absolute": absolute}}

    @_route("POST", r"/volume/v3/[^/]+/volumes")
    def make_volume(self, body: Json, **_: Any) -> Json:
        asked = body["volume"]
        identity = self.cloud.add_volume(asked["name"], asked["size"])
        given = {k: v for k, v in asked.items() if v not in (None, "")}
        self.cloud.volumes[identity].update(given)
        return {"volume": self.cloud.volumes[identity]}

    @_route("GET", r"/volume/v3/[^/]+/volumes/detail")
    def list_volumes(self, query: dict[str, str], **_: Any) -> Json:
        name = query.get("name")
        return {"volumes": [v for v in self.cloud.volumes.values() if name in (None, v["name"])]}

    @_route("GET", r"/volume/v3/[^/]+/volumes/(?P<identity>[^/]{30,})")
    def volume(self, identity: str, **_: Any) -> Json:
        return {"volume": self._get(self.cloud.volumes, identity)}

    @_route("PUT", r"/volume/v3/[^/]+/volumes/(?P<identity>[^/]+)")
    def change_volume(self, identity: str, body: Json, **_: Any) -> Json:
        self._get(self.cloud.volumes, identity).update(body["volume"])
        return self.volume(identity)

    @_route("POST", r"/volume/v3/[^/]+/volumes/(?P<identity>[^/]+)/action")
    def act_on_volume(self, identity: str, body: Json, **_: Any) -> None:
        volume = self._get(self.cloud.volumes, identity)
        size = body["os-extend"]["new_size"]
        if size <= volume["size"]:
            raise RefusedError(
                400, {"badRequest": {"code": 400, "message": "New size for extend must be greater"}}
            )
        volume["size"] = size

    @_route("DELETE", r"/volume/v3/[^/]+/volumes/(?P<identity>[^/]+)")
    def remove_volume(self, identity: str, **_: Any) -> None:
        if self._get(self.cloud.volumes, identity)["attachments"]:
            raise RefusedError(400, {"badRequest": {"code": 400, "message": "Volume is attached"}})
        del self.cloud.volumes[identity]

    def _made(self, asked: Json) -> Json:
        return {
            "id": _new_id(),
            "tenant_id": PROJECT_ID,
            "project_id": PROJECT_ID,
            "description": "",
            **asked,
        }

    def _get(self, kind: dict[str, Json], identity: str) -> Json:
        if identity not in kind:
            raise _missing(identity)
        return kind[identity]


_SUCCESS: Final = {"POST": 201, "PUT": 200, "GET": 200}


class _Handler(BaseHTTPRequestHandler):
    cloud: Cloud
    lock: threading.Lock
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        with self.lock:
            self.cloud.requests.append(f"{self.command} {parts.path}")
            try:
                status, result = self._ask(parts.path, query, body)
            except RefusedError as refusal:
                status, result = refusal.status, refusal.body
        text = b"" if result is None else json.dumps(result).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if parts.path.endswith("/auth/tokens"):
            self.send_header("X-Subject-Token", TOKEN)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the library's names

    def _ask(self, path: str, query: dict[str, str], body: Json) -> tuple[int, Json | None]:
        if f"{self.command} {path}" == self.cloud.refuse:
            return 403, {"forbidden": {"code": 403, "message": "No valid host was found."}}
        for method, pattern, name in ROUTES:
            match = pattern.fullmatch(path)
            if method == self.command and match:
                given = {key: value for key, value in match.groupdict().items() if value is not None}
                result = getattr(Services(self.cloud), name)(query=query, body=body, **given)
                if result is None:
                    return (204 if method == "DELETE" else 202), None
                status = (
                    200
                    if method == "POST" and name in ("attach", "make_keypair", "change_metadata")
                    else _SUCCESS[method]
                )
                return (202 if name in ("make_server", "make_volume") else status), result
        return 404, {"itemNotFound": {"code": 404, "message": f"no {self.command} {path}"}}

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running(cloud: Cloud | None = None, port: int = 0) -> Iterator[Cloud]:
    """A cloud that answers on loopback."""
    cloud = cloud or Cloud()
    cloud.stock()
    handler = type("Handler", (_Handler,), {"cloud": cloud, "lock": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    cloud.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
