"""Where the rig is, and by which names its parts know each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

HOST: Final = "rig"
"""The container's host name, and with it the name of hypervisor and agents."""

BRIDGE: Final = "br-ex"
"""The external network's bridge."""

Sections = Mapping[str, Mapping[str, object]]

LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True)
class Place:
    """Where the services listen and what they share."""

    address: str
    """Of the container; the services' public address."""
    external_cidr: str
    """The external network, which floating IPs come from."""
    password: str
    """Of databases, message queue and service users; they are reached from the rig's own network only."""

    @property
    def external(self) -> IPv4Network:
        """The external network."""
        return IPv4Network(self.external_cidr)

    @property
    def gateway(self) -> str:
        """The container on the external network: guests' way out, and their name server."""
        return str(self.external[1])

    @property
    def identity_url(self) -> str:
        """Where one signs in."""
        return f"http://{self.address}:5000/v3"
