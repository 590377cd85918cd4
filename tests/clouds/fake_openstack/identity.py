"""Who asks, and which services there are."""

from __future__ import annotations

from typing import Any

from tests.clouds.fake_openstack.cloud import PROJECT_ID, SECRET, Json, RefusedError
from tests.clouds.fake_openstack.service import Service, route


class Identity(Service):
    """Keystone."""

    @route("GET", r"/identity/?")
    @route("GET", r"/identity/v3/?")
    def identity_versions(self, **_: Any) -> Json:
        links = [{"rel": "self", "href": f"{self.cloud.url}/identity/v3/"}]
        version = {"id": "v3.14", "status": "stable", "links": links, "updated": "2020-04-07T00:00:00Z"}
        return {"versions": {"values": [version]}, "version": version}

    @route("POST", r"/identity/v3/auth/tokens")
    def sign_in(self, body: Json, **_: Any) -> Json:
        given = body["auth"]["identity"].get("application_credential") or {}
        if given.get("secret") != SECRET:
            message = "The request you have made requires authentication."
            raise RefusedError(401, {"error": {"code": 401, "message": message, "title": "Unauthorized"}})
        return self._token()

    @route("GET", r"/identity/v3/auth/tokens")
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
