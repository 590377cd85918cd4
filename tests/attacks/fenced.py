"""A fenced network with a hub, a proxy and users on it, and an institute's network outside."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

from tests.images.building import DROPPED, ENGINE, image, log, network, running, until

BRIDGE: Final = "ch-attacks"
SUBNET: Final = "10.214.96.0/20"
PROXY: Final = "10.214.96.2"
HUB: Final = "10.214.96.3"
ADA: Final = "10.214.104.10"
BOB: Final = "10.214.104.11"
PORT: Final = 28997
"""Of the machine, under which the proxy is reached from outside."""

PER_ADDRESS: Final = 150
"""Connections that one address outside may have; few, so that one test can have more."""

MACHINE: Final = "10.214.112.1"
OUTSIDE: Final = ("10.214.112.2", "10.214.112.3")
"""Two addresses of an institute's network."""

OUTSIDE_PORT: Final = 8099
"""On which something answers there."""

CLOUDS: Final = ("168.63.129.16", "100.100.100.200")
"""Addresses at which clouds tell secrets; here the institute has them."""

_NETNS = "attacks-institute"

_FENCE = (
    *("--network", "host", *DROPPED, "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW"),
    *("--init", "--read-only", "--tmpfs", "/run:mode=0755,size=1m"),
)

_HOLD = """\
import sys, selectors, socket
waiting = selectors.DefaultSelector()
for port in map(int, sys.argv[1:]):
    server = socket.create_server(("", port), backlog=1024)
    server.setblocking(False)
    waiting.register(server, selectors.EVENT_READ, "door")
print("listening", flush=True)
while True:
    for key, _ in waiting.select():
        if key.data == "door":
            waiting.register(key.fileobj.accept()[0], selectors.EVENT_READ, "guest")
        elif not key.fileobj.recv(1000):
            waiting.unregister(key.fileobj)
            key.fileobj.close()
"""
"""Keeps connections until the other side closes them, as a hub keeps those that ask for nothing."""

_TAKE = """\
import sys, json, resource, socket, time
wanted, source, where = int(sys.argv[1]), sys.argv[2], (sys.argv[3], int(sys.argv[4]))
resource.setrlimit(resource.RLIMIT_NOFILE, (wanted + 50, wanted + 50))
held, refused, end = [], 0, time.monotonic() + 10
for _ in range(wanted):
    if time.monotonic() > end:
        break
    try:
        held.append(socket.create_connection(where, 1, (source, 0)))
    except OSError:
        refused += 1
print(json.dumps([len(held), refused]), flush=True)
sys.stdin.readline()
"""
"""Opens connections and holds them until it is told to go."""


class Taken:
    """Somebody who holds connections while the block runs."""

    def __init__(self, held: int, refused: int) -> None:
        """What came of the tries."""
        self.held = held
        self.refused = refused


@contextmanager
def taking(who: list[str], wanted: int, where: tuple[str, int], source: str = "") -> Iterator[Taken]:
    """Have somebody open so many connections and hold them.

    :param who: the command line under which a program of theirs runs.
    """
    words = [*who, "python3", "-c", _TAKE, str(wanted), source, where[0], str(where[1])]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        assert program.stdin
        try:
            held, refused = json.loads(program.stdout.readline())
            yield Taken(held, refused)
        finally:
            program.stdin.close()
            program.wait(30)


def in_container(name: str) -> list[str]:
    """How a user runs something in their server."""
    return ENGINE.command("exec", "--interactive", name)


def at_the_institute() -> list[str]:
    """How somebody outside runs something."""
    return ["ip", "netns", "exec", _NETNS]


@contextmanager
def fenced() -> Iterator[None]:
    """The network while the block runs."""
    with ExitStack() as all_of_it:
        all_of_it.enter_context(_institute())
        options = [
            *("--subnet", SUBNET, "--gateway", "10.214.96.1", "--ip-range", "10.214.104.0/21"),
            *("--opt", "com.docker.network.bridge.enable_icc=false"),
            *("--opt", f"com.docker.network.bridge.name={BRIDGE}"),
        ]
        net = all_of_it.enter_context(network("attacks-net", *options))
        for name, address, more, ports in (
            ("hub", HUB, (), (8081,)),
            ("proxy", PROXY, ("--publish", f"{MACHINE}:{PORT}:8443"), (8080, 8443)),
            ("ada", ADA, (), (8888,)),
            ("bob", BOB, (), (8888,)),
        ):
            words = ["--init", "--network", net, "--ip", address, *DROPPED, "--user", "1000:100", *more]
            words += ["--entrypoint", "python3", image("hub"), "-c", _HOLD, *map(str, ports)]
            all_of_it.enter_context(running(f"attacks-{name}", *words))
            until(partial(_listens, f"attacks-{name}"), f"{name} listens")
        all_of_it.enter_context(running("attacks-fence", *_FENCE, *environment(), image("fence")))
        until(lambda: "installed the rules" in log("attacks-fence"), "the rules are there", within_s=20)
        all_of_it.callback(_remove_rules)
        yield


def environment() -> list[str]:
    """What a fence is told."""
    known = {
        "BRIDGE": BRIDGE,
        "SUBNET": SUBNET,
        "HUB_ADDRESS": HUB,
        "HUB_PORT": "8081",
        "PROXY_ADDRESS": PROXY,
        "PROXY_PORTS": "8080 8443",
        "PUBLIC_PORTS": f"{PORT}",
        "PER_ADDRESS": f"{PER_ADDRESS}",
    }
    return [word for item in known.items() for word in ("--env", "=".join(item))]


def _remove_rules() -> None:
    ENGINE.run("run", "--rm", *_FENCE, "--env", f"BRIDGE={BRIDGE}", image("fence"), "remove")


@contextmanager
def _institute() -> Iterator[None]:
    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    ip("netns", "add", _NETNS)
    try:
        ip("link", "add", "attacks-near", "type", "veth", "peer", "attacks-far", "netns", _NETNS)
        ip("addr", "add", f"{MACHINE}/24", "dev", "attacks-near")
        ip("link", "set", "attacks-near", "up")
        for address in OUTSIDE:
            ip("-n", _NETNS, "addr", "add", f"{address}/24", "dev", "attacks-far")
        ip("-n", _NETNS, "link", "set", "attacks-far", "up")
        ip("-n", _NETNS, "route", "add", "default", "via", MACHINE)
        for address in CLOUDS:
            ip("-n", _NETNS, "addr", "add", f"{address}/32", "dev", "attacks-far")
            ip("route", "add", f"{address}/32", "dev", "attacks-near")
        words = [*at_the_institute(), "python3", "-m", "http.server", f"{OUTSIDE_PORT}"]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                until(lambda: _answers(OUTSIDE[0]), "the institute answers", within_s=20)
                yield
            finally:
                server.terminate()
    finally:
        ip("netns", "del", _NETNS)


def _listens(container: str) -> bool:
    return "listening" in log(container)


def _answers(address: str) -> bool:
    try:
        socket.create_connection((address, OUTSIDE_PORT), 1).close()
    except OSError:
        return False
    return True
