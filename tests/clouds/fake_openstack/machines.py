"""Machines, and what hangs on them."""

from __future__ import annotations

from typing import Any

from tests.clouds.fake_openstack.cloud import PROJECT_ID, Json, RefusedError, missing, new_id
from tests.clouds.fake_openstack.service import Service, route


class Machines(Service):
    """Nova."""

    @route("GET", r"/compute/v2.1/?")
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

    @route("GET", r"/compute/v2.1/limits")
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

    @route("GET", r"/compute/v2.1/flavors(/detail)?")
    def list_flavors(self, query: dict[str, str], **_: Any) -> Json:
        return {"flavors": [] if query.get("marker") else list(self.cloud.flavors.values())}

    @route("GET", r"/compute/v2.1/flavors/(?P<identity>[^/]{30,})")
    def flavor(self, identity: str, **_: Any) -> Json:
        return {"flavor": self.get(self.cloud.flavors, identity)}

    @route("GET", r"/compute/v2.1/flavors/(?P<identity>[^/]+)/os-extra_specs")
    def flavor_specs(self, identity: str, **_: Any) -> Json:
        return {"extra_specs": {}}

    @route("POST", r"/compute/v2.1/os-keypairs")
    def make_keypair(self, body: Json, **_: Any) -> Json:
        made = body["keypair"]
        if made["name"] in self.cloud.keypairs:
            message = f"Key pair '{made['name']}' already exists."
            raise RefusedError(409, {"conflictingRequest": {"code": 409, "message": message}})
        self.cloud.keypairs[made["name"]] = {**made, "fingerprint": "00", "user_id": "c" * 32}
        return {"keypair": self.cloud.keypairs[made["name"]]}

    @route("GET", r"/compute/v2.1/os-keypairs/(?P<identity>[^/]+)")
    def keypair(self, identity: str, **_: Any) -> Json:
        return {"keypair": self.get(self.cloud.keypairs, identity)}

    @route("DELETE", r"/compute/v2.1/os-keypairs/(?P<identity>[^/]+)")
    def remove_keypair(self, identity: str, **_: Any) -> None:
        self.get(self.cloud.keypairs, identity)
        del self.cloud.keypairs[identity]

    @route("POST", r"/compute/v2.1/servers")
    def make_server(self, body: Json, **_: Any) -> Json:
        asked = body["server"]
        flavor = self.get(self.cloud.flavors, asked["flavorRef"].rpartition("/")[2])
        used = sum(self.cloud.flavors[s["flavor"]["id"]]["vcpus"] for s in self.cloud.servers.values())
        if used + flavor["vcpus"] > self.cloud.cores:
            message = f"Quota exceeded for cores: Requested {flavor['vcpus']}, but already used {used}"
            raise RefusedError(403, {"forbidden": {"code": 403, "message": message}})
        if asked.get("key_name") not in self.cloud.keypairs:
            raise RefusedError(400, {"badRequest": {"code": 400, "message": "Invalid key_name provided."}})
        port = self.get(self.cloud.ports, asked["networks"][0]["port"])
        if port["device_id"]:
            message = f"Port {port['id']} is still in use."
            raise RefusedError(409, {"conflictingRequest": {"code": 409, "message": message}})
        identity = new_id()
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

    @route("GET", r"/compute/v2.1/servers/(?P<identity>[^/]+)")
    def server(self, identity: str, **_: Any) -> Json:
        return {"server": self.get(self.cloud.servers, identity)}

    @route("PUT", r"/compute/v2.1/servers/(?P<identity>[^/]+)")
    def change_server(self, identity: str, body: Json, **_: Any) -> Json:
        self.get(self.cloud.servers, identity).update(body["server"])
        return self.server(identity)

    @route("POST", r"/compute/v2.1/servers/(?P<identity>[^/]+)/metadata")
    def change_metadata(self, identity: str, body: Json, **_: Any) -> Json:
        self.get(self.cloud.servers, identity)["metadata"] = body["metadata"]
        return body

    @route("POST", r"/compute/v2.1/servers/(?P<identity>[^/]+)/action")
    def act(self, identity: str, body: Json, **_: Any) -> None:
        server = self.get(self.cloud.servers, identity)
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

    @route("DELETE", r"/compute/v2.1/servers/(?P<identity>[^/]+)")
    def remove_server(self, identity: str, **_: Any) -> None:
        self.get(self.cloud.servers, identity)
        self.cloud.lose_server(identity)

    @route("GET", r"/compute/v2.1/servers/(?P<identity>[^/]+)/os-interface")
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

    @route("POST", r"/compute/v2.1/servers/(?P<identity>[^/]+)/os-volume_attachments")
    def attach(self, identity: str, body: Json, **_: Any) -> Json:
        self.get(self.cloud.servers, identity)
        volume = self.get(self.cloud.volumes, body["volumeAttachment"]["volumeId"])
        if volume["status"] != "available":
            message = f"volume {volume['id']} already attached"
            raise RefusedError(400, {"badRequest": {"code": 400, "message": message}})
        volume["status"] = "in-use"
        volume["attachments"] = [
            {
                "id": volume["id"],
                "attachment_id": new_id(),
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

    @route("GET", r"/compute/v2.1/servers/(?P<identity>[^/]+)/os-volume_attachments(/(?P<volume>[^/]+))?")
    def attachment(self, identity: str, volume: str | None = None, **_: Any) -> Json:
        self.get(self.cloud.servers, identity)
        found = [
            {"id": v["id"], "serverId": identity, "volumeId": v["id"], "device": "/dev/vdb"}
            for v in self.cloud.volumes.values()
            if any(a["server_id"] == identity for a in v["attachments"])
        ]
        if volume is None:
            return {"volumeAttachments": found}
        if not [a for a in found if a["id"] == volume]:
            raise missing("attachment")
        return {"volumeAttachment": next(a for a in found if a["id"] == volume)}

    @route("DELETE", r"/compute/v2.1/servers/(?P<identity>[^/]+)/os-volume_attachments/(?P<volume>[^/]+)")
    def detach(self, identity: str, volume: str, **_: Any) -> None:
        self.attachment(identity, volume)
        self.cloud.volumes[volume].update(status="available", attachments=[])
