"""The users' network with hub, proxy and two users on it, and what is around it."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.images.building import (
    DROPPED,
    image,
    until,
)
from tests.images.neighbours import Place, reached

BRIDGE = "ch-images"
SUBNET = "10.213.96.0/20"
GATEWAY = "10.213.96.1"
PROXY = "10.213.96.2"
HUB = "10.213.96.3"
ASTRO_HUB = "10.213.96.4"
ADA = "10.213.104.10"
BOB = "10.213.104.11"
METADATA = "169.254.213.254"
"""Link-local like a cloud's metadata, but not the address of a real one."""

ON_THE_MACHINE = ("--network", "host", *DROPPED, "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW")
FENCE = (*ON_THE_MACHINE, "--init", "--read-only", "--tmpfs", "/run:mode=0755,size=1m")


def fence(public_port: int, bridge: str = BRIDGE) -> list[str]:
    """`docker run` options of a fence, as the program gives them."""
    known = {
        "BRIDGE": bridge,
        "SUBNET": SUBNET,
        "HUB_ADDRESS": f"{HUB} {ASTRO_HUB}",
        "HUB_PORT": "8081",
        "PROXY_ADDRESS": PROXY,
        "PROXY_PORTS": "8080 8443",
        "PUBLIC_PORTS": f"80 {public_port}",
    }
    environment = [word for item in known.items() for word in ("--env", "=".join(item))]
    return [*FENCE, *environment, image("fence")]


@contextmanager
def on_the_machine() -> Iterator[int]:
    """A port of this machine on which something answers, by whichever of its addresses."""
    with socket.create_server(("", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]


@contextmanager
def metadata() -> Iterator[None]:
    """A machine next door that answers at a link-local address, as a cloud's metadata does."""

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    far = ["ip", "netns", "exec", "images-cloud"]
    ip("netns", "add", "images-cloud")
    try:
        ip("link", "add", "images-near", "type", "veth", "peer", "images-far", "netns", "images-cloud")
        ip("addr", "add", "10.213.112.1/30", "dev", "images-near")
        ip("link", "set", "images-near", "up")
        ip("route", "add", f"{METADATA}/32", "dev", "images-near")
        for words in (
            ["addr", "add", "10.213.112.2/30", "dev", "images-far"],
            ["addr", "add", f"{METADATA}/32", "dev", "images-far"],
            ["link", "set", "images-far", "up"],
            ["route", "add", "default", "via", "10.213.112.1"],
        ):
            ip("-n", "images-cloud", *words)
        with subprocess.Popen(
            [*far, "python3", "-m", "http.server", "--bind", METADATA, "80"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                until(lambda: _answers(METADATA, 80), "the metadata answers")
                yield
            finally:
                server.terminate()
    finally:
        # The links go with the namespace.
        ip("netns", "del", "images-cloud")


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


class Neighbourhood:
    """The network with hub, proxy and two users on it, and what is around it."""

    def __init__(self, machine_port: int, public_port: int) -> None:
        """What the test of it made."""
        self.machine_port = machine_port
        self.public_port = public_port
        self.machine_address = _own_address()

    def fence(self) -> list[str]:
        """`docker run` options of its fence."""
        return fence(self.public_port)

    @property
    def allowed(self) -> dict[str, set[Place]]:
        """Who must reach what."""
        machine = {(self.machine_address, self.machine_port), (GATEWAY, self.machine_port)}
        public = {(self.machine_address, self.public_port), (GATEWAY, self.public_port)}
        user = {(HUB, 8081), (ASTRO_HUB, 8081), (PROXY, 8080), (PROXY, 8443), *public}
        ours = {(ADA, 8888), (BOB, 8888), (HUB, 8081), *machine, *public}
        return {"ada": user, "bob": user, "hub": ours, "proxy": ours}

    @property
    def forbidden(self) -> dict[str, set[Place]]:
        """Who must not."""
        machine = {(self.machine_address, self.machine_port), (GATEWAY, self.machine_port)}
        cloud = {(METADATA, 80)}
        user = {(HUB, 9999), (PROXY, 9999), *machine, *cloud}
        return {
            "ada": {(BOB, 8888), (BOB, 9999), *user},
            "bob": {(ADA, 8888), (ADA, 9999), *user},
            "hub": cloud,
            "proxy": cloud,
        }

    def verdict(self) -> dict[str, dict[Place, bool]]:
        """Who reaches what, of all that is said above."""
        everybody = list(self.allowed)
        with ThreadPoolExecutor(len(everybody)) as threads:
            answers = threads.map(
                lambda who: reached(f"images-{who}", sorted(self.allowed[who] | self.forbidden[who])),
                everybody,
            )
            return dict(zip(everybody, answers, strict=True))

    def should_be(self) -> dict[str, dict[Place, bool]]:
        """What the verdict is when the fence holds."""
        return {
            who: {
                place: place in self.allowed[who] for place in sorted(self.allowed[who] | self.forbidden[who])
            }
            for who in self.allowed
        }


def _own_address() -> str:
    """This machine's address on the network that it has itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect(("198.51.100.1", 9))  # nothing is sent
        return str(asked.getsockname()[0])
