"""The parts of OpenStack's interfaces that the plug-in needs, on loopback, without any machine behind.

It answers as the real services do for what a cyberhub asks, also with their refusals, so that the real
engine and the real plug-in can be taken through a stack's whole life in seconds.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.clouds.fake_openstack.cloud import SECRET, Cloud, Json, RefusedError
from tests.clouds.fake_openstack.identity import Identity
from tests.clouds.fake_openstack.images import Images
from tests.clouds.fake_openstack.machines import Machines
from tests.clouds.fake_openstack.networks import Networks
from tests.clouds.fake_openstack.service import ROUTES
from tests.clouds.fake_openstack.volumes import Volumes

__all__ = ["SECRET", "Cloud", "Json", "Services", "running"]

TOKEN: Final = "a-token"


class Services(Identity, Images, Networks, Machines, Volumes):
    """One method for each kind of request."""


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
