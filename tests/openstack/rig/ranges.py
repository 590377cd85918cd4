"""Address ranges for the rig that nobody uses.

A range that is in real use must never be taken: a route into the rig would cut off whatever was there. So
no fixed one is relied upon, documentation ranges included, which do get used.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

FLOATING: Final = tuple(IPv4Network(f"172.24.{third}.0/24") for third in range(4, 12))
"""For the external network; the first is the one that DevStack uses."""

SERVICES: Final = tuple(IPv4Network(f"10.98.{third}.0/24") for third in range(8))
"""For the network between this machine and the rig."""

_WHO_DOWNLOADS: Final = (
    ("apt-get", "indextargets", "--format", "$(REPO_URI)"),
    ("go", "env", "GOPROXY"),
    (sys.executable, "-m", "pip", "download", "--help"),
    ("docker", "info", "--format", "{{.IndexServerAddress}}"),
)
"""Programs that say where they download from: where a default route is all there is, only the addresses of
those hosts tell what must stay reachable."""

_HOST: Final = re.compile(r"https?://(?:[^/@\s]*@)?([A-Za-z0-9.-]+)")


class RangeInUseError(Exception):
    """All ranges that might have been taken are in use."""


def free(candidates: Iterable[IPv4Network]) -> IPv4Network:
    """The first range that neither routes nor addresses nor names of this machine lead into.

    Raises RangeInUseError.
    """
    return choose(candidates, taken())


def choose(candidates: Iterable[IPv4Network], used: Iterable[IPv4Network]) -> IPv4Network:
    """The first range that overlaps none of those in use. Raises RangeInUseError."""
    candidates, used = tuple(candidates), tuple(used)
    for candidate in candidates:
        if not any(candidate.overlaps(other) for other in used):
            return candidate
    raise RangeInUseError(f"all of {', '.join(map(str, candidates))} are in use on this machine")


def taken() -> list[IPv4Network]:
    """What this machine's routes, addresses, name servers, Docker networks and downloads use."""
    return [*_routes(), *_name_servers(), *_docker_networks(), *_downloads()]


def _routes() -> Iterator[IPv4Network]:
    """Of all tables: the local one holds the machine's own addresses."""
    for route in json.loads(_output("ip", "-json", "-4", "route", "show", "table", "all")):
        for word in (route["dst"], route.get("gateway"), route.get("prefsrc")):
            if word not in (None, "default"):
                yield IPv4Network(word, strict=False)


def _name_servers() -> Iterator[IPv4Network]:
    for line in Path("/etc/resolv.conf").read_text().splitlines():
        words = line.split()
        if words[:1] == ["nameserver"] and isinstance(ipaddress.ip_address(words[1]), IPv4Address):
            yield IPv4Network(words[1])


def _docker_networks() -> Iterator[IPv4Network]:
    """Also those that no container runs on, which no route tells of."""
    names = _output("docker", "network", "ls", "--quiet").split()
    for network in json.loads(_output("docker", "network", "inspect", *names)) if names else []:
        for part in network["IPAM"]["Config"] or []:
            subnet = ipaddress.ip_network(part["Subnet"])
            if isinstance(subnet, IPv4Network):
                yield subnet


def _downloads() -> Iterator[IPv4Network]:
    hosts = {host for words in _WHO_DOWNLOADS for host in _HOST.findall(_output(*words))}
    for host in sorted(hosts):
        try:
            found = socket.getaddrinfo(host, 443, socket.AF_INET, socket.SOCK_STREAM)
        except socket.gaierror:
            continue  # not to be had from here anyway
        for entry in found:
            yield IPv4Network(str(entry[4][0]))


def _output(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
