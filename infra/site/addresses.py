"""Addresses on the containers' network."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass

_POOL = ipaddress.IPv4Network("10.128.0.0/9")
"""Half of the private range: campus networks and clouds mostly number from the bottom of 10.0.0.0/8,
Docker itself uses 172.16.0.0/12 and AWS's default network 172.31.0.0/16."""

_PREFIX = 20
"""4,094 addresses."""


@dataclass(frozen=True)
class Addresses:
    """Who has which address: a fixed one for all that is ours, the upper half for users' servers."""

    network: ipaddress.IPv4Network

    @property
    def gateway(self) -> str:
        """The machine itself."""
        return str(self.network[1])

    @property
    def proxy(self) -> str:
        """The proxy container."""
        return str(self.network[2])

    def hub(self, number: int) -> str:
        """The container of the hub with this number, counted from 0."""
        return str(self.network[3 + number])

    @property
    def users(self) -> str:
        """The range that Docker gives users' servers addresses from."""
        return str(list(self.network.subnets())[1])


def addresses(subnet: str | None, stack: str) -> Addresses:
    """The addresses in a subnet, or in one that follows from the stack's name.

    Two stacks on one engine then seldom ask for the same; Docker refuses where they do.
    """
    if subnet is not None:
        return Addresses(ipaddress.IPv4Network(subnet))
    number = int.from_bytes(hashlib.sha256(stack.encode()).digest()[:4])
    start = int(_POOL.network_address) + (number % 2 ** (_PREFIX - _POOL.prefixlen)) * 2 ** (32 - _PREFIX)
    return Addresses(ipaddress.IPv4Network((start, _PREFIX)))
