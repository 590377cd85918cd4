"""Disks."""

from __future__ import annotations

from typing import Any

from tests.clouds.fake_openstack.cloud import Json, RefusedError
from tests.clouds.fake_openstack.service import Service, route


class Volumes(Service):
    """Cinder."""

    @route("GET", r"/volume/v3/[^/]+/limits")
    def volume_limits(self, **_: Any) -> Json:
        used = sum(volume["size"] for volume in self.cloud.volumes.values())
        absolute = {
            "maxTotalVolumes": 10, "totalVolumesUsed": len(self.cloud.volumes),
            "maxTotalVolumeGigabytes": 10240, "totalGigabytesUsed": used,
        }  # fmt: skip
        return {"limits": {"rate": [], "absolute": absolute}}

    @route("POST", r"/volume/v3/[^/]+/volumes")
    def make_volume(self, body: Json, **_: Any) -> Json:
        asked = body["volume"]
        identity = self.cloud.add_volume(asked["name"], asked["size"])
        given = {k: v for k, v in asked.items() if v not in (None, "")}
        self.cloud.volumes[identity].update(given)
        return {"volume": self.cloud.volumes[identity]}

    @route("GET", r"/volume/v3/[^/]+/volumes/detail")
    def list_volumes(self, query: dict[str, str], **_: Any) -> Json:
        name = query.get("name")
        return {"volumes": [v for v in self.cloud.volumes.values() if name in (None, v["name"])]}

    @route("GET", r"/volume/v3/[^/]+/volumes/(?P<identity>[^/]{30,})")
    def volume(self, identity: str, **_: Any) -> Json:
        return {"volume": self.get(self.cloud.volumes, identity)}

    @route("PUT", r"/volume/v3/[^/]+/volumes/(?P<identity>[^/]+)")
    def change_volume(self, identity: str, body: Json, **_: Any) -> Json:
        self.get(self.cloud.volumes, identity).update(body["volume"])
        return self.volume(identity)

    @route("POST", r"/volume/v3/[^/]+/volumes/(?P<identity>[^/]+)/action")
    def act_on_volume(self, identity: str, body: Json, **_: Any) -> None:
        volume = self.get(self.cloud.volumes, identity)
        size = body["os-extend"]["new_size"]
        if size <= volume["size"]:
            raise RefusedError(
                400, {"badRequest": {"code": 400, "message": "New size for extend must be greater"}}
            )
        volume["size"] = size

    @route("DELETE", r"/volume/v3/[^/]+/volumes/(?P<identity>[^/]+)")
    def remove_volume(self, identity: str, **_: Any) -> None:
        if self.get(self.cloud.volumes, identity)["attachments"]:
            raise RefusedError(400, {"badRequest": {"code": 400, "message": "Volume is attached"}})
        del self.cloud.volumes[identity]
