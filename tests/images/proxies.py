"""A proxy as the program would start it, before stand-ins for hubs and servers."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import urllib3

from hubconfig.container import HUB_PORT, PROXY_HTTPS_PORT, SERVER_PORT
from infra.site.caddyfile import HubRoute, SiteRoutes, caddyfile
from infra.stack.settings import AcmeTls, FilesTls, LocalTls, NoTls
from tests.images.building import DROPPED, image, log, network, running, until
from tests.support.ports import free_ports

RIGHTS = tuple(word for right in ("CHOWN", "SETGID", "SETPCAP", "SETUID") for word in ("--cap-add", right))


def configuration(
    tls: LocalTls | AcmeTls | FilesTls | NoTls, *hubs: HubRoute, user_domain: str | None = None
) -> str:
    """What the program would give the proxy."""
    names = ["hub.example.org" if isinstance(tls, AcmeTls) else "localhost", "127.0.0.1"]
    return caddyfile(SiteRoutes(names=names, https_port=443, tls=tls, hubs=hubs, user_domain=user_domain))


def options(folder: Path, text: str) -> list[str]:
    """`docker run` options of a proxy whose files are in a folder."""
    (folder / "Caddyfile").write_text(text)
    (folder / "data").mkdir(exist_ok=True)
    volumes = {"Caddyfile": "/etc/caddy/site/Caddyfile:ro", "data": "/data"}
    if (folder / "tls").exists():
        volumes["tls"] = "/etc/caddy/tls"
    words = [word for name, inside in volumes.items() for word in ("--volume", f"{folder / name}:{inside}")]
    return [*DROPPED, *RIGHTS, *words]


class Edge:
    """A proxy that is reached on loopback, and what the stand-ins behind it have seen."""

    def __init__(self, name: str, port: int, authority: Path) -> None:
        """Know where it is.

        :param name: what the names of its containers begin with.
        :param authority: the certificate that is trusted.
        """
        self.name, self.port, self.authority = name, port, authority
        self.url = f"https://localhost:{port}"
        self.pool = urllib3.PoolManager(ca_certs=str(authority), retries=False)

    def ask(
        self, path: str, method: str = "GET", body: Any = None, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """An answer, whatever it is; it is not followed.

        :param headers: with _ for the hyphen.
        """
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.pool.request(
            method, self.url + path, body=body, headers=named, redirect=False, timeout=120
        )

    def send(self, path: str, method: str, body: Any, **headers: str) -> int:
        """The status of the answer to a body; 0 where the connection was closed before all was sent."""
        try:
            return self.ask(path, method, body, **headers).status
        except (urllib3.exceptions.SSLError, urllib3.exceptions.ProtocolError):
            return 0

    def connect(self) -> ssl.SSLSocket:
        """A connection on which nothing has been said."""
        plain = socket.create_connection(("127.0.0.1", self.port), 30)
        context = ssl.create_default_context(cafile=str(self.authority))
        return context.wrap_socket(plain, server_hostname="localhost")

    def seen(self, container: str) -> list[dict[str, Any]]:
        """The requests that have reached a stand-in."""
        return [json.loads(line) for line in log(f"{self.name}-{container}").splitlines() if line[:1] == "{"]


@contextmanager
def edge(name: str, folder: Path, *further: str) -> Iterator[Edge]:
    """A proxy before a hub and Ada's running server, and before further hubs; others have no server.

    :param name: what the names of its containers begin with.
    """
    program = (Path(__file__).parents[1] / "attacks/upstream.py").read_text()
    (port,) = free_ports(1)
    hubs = [HubRoute("hub", "/", f"{name}-hub", f"{name}-user-")]
    hubs += [HubRoute(each, f"/{each}/", f"{name}-{each}-hub", f"{name}-{each}-user-") for each in further]
    parts = {f"{name}-user-ada": SERVER_PORT} | {hub.host: HUB_PORT for hub in hubs}
    parts |= {f"{hub.user_prefix}ada": SERVER_PORT for hub in hubs[1:]}
    text = configuration(LocalTls(kind="local"), *hubs)
    with ExitStack() as all_of_it:
        net = all_of_it.enter_context(network(f"{name}-net"))
        python = ["--network", net, *DROPPED, "--user", "1000", "--entrypoint", "python3", image("hub")]
        for part, inside in parts.items():
            all_of_it.enter_context(
                running(part, "--init", *python[:-1], python[-1], "-c", program, f"{inside}")
            )
        published = ["--publish", f"127.0.0.1:{port}:{PROXY_HTTPS_PORT}"]
        proxy = ["--network", net, *published, *options(folder, text), image("proxy")]
        all_of_it.enter_context(running(f"{name}-proxy", *proxy))
        authority = folder / "data/caddy/pki/authorities/local/root.crt"
        until(authority.exists, "the proxy has its authority")
        made = Edge(name, port, authority)
        until(lambda: _answers(made), "the proxy answers")
        yield made


def _answers(made: Edge) -> bool:
    try:
        return all(made.ask(path).status == 200 for path in ("/hub/login", "/user/ada/"))
    except urllib3.exceptions.HTTPError:
        return False
