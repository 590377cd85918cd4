"""What machines start from."""

from __future__ import annotations

from typing import Any

from tests.clouds.fake_openstack.cloud import Json
from tests.clouds.fake_openstack.service import Service, route


class Images(Service):
    """Glance."""

    @route("GET", r"/image/?")
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

    @route("GET", r"/image/v2/images")
    def list_images(self, query: dict[str, str], **_: Any) -> Json:
        return {
            "images": [i for i in self.cloud.images.values() if query.get("name", i["name"]) == i["name"]]
        }

    @route("GET", r"/image/v2/images/(?P<identity>[^/]+)")
    def image(self, identity: str, **_: Any) -> Json:
        return self.get(self.cloud.images, identity)
