"""Addresses on the containers' network."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from hubconfig import labels

_POOL: Final = ipaddress.IPv4Network("10.128.0.0/9")
"""Half of the private range: campus networks and clouds mostly number from the bottom of 10.0.0.0/8,
Docker itself uses 172.16.0.0/12 and AWS's default network 172.31.0.0/16."""

_PREFIX: Final = 20
"""4,094 addresses."""

_FIRST: Final = 3
"""Of hubs: below are the network's own, the machine's and the proxy's."""


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

    def hubs(self, names: Iterable[str], kept: Mapping[str, str]) -> dict[str, str]:
        """Hub to the address of its container: the one it has, or the lowest that nobody has.

        :param names: the hubs from now on.
        :param kept: hub to the address it has now. A hub that goes still has its own while others come.

        Raises pulumi.RunError when there is no room for them all.
        """
        ours = range(_FIRST, self.network.num_addresses // 2)
        free = {str(self.network[number]): None for number in ours}
        has = {hub: address for hub, address in kept.items() if address in free}
        for address in has.values():
            free.pop(address, None)
        found = {}
        for name in names:
            if name not in has and not free:
                raise pulumi.RunError(
                    f"network.subnet: {self.network} has no address for the hub {name}; choose a larger one"
                )
            found[name] = has[name] if name in has else next(iter(free))
            free.pop(found[name], None)
        return found

    @property
    def users(self) -> str:
        """The range that Docker gives users' servers addresses from."""
        return str(list(self.network.subnets())[1])


def kept(resources: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Hub to the address that its container has in a stack's state."""
    found = {}
    for resource in resources:
        outputs = resource.get("outputs") or {}
        given = {one["label"]: one["value"] for one in outputs.get("labels") or []}
        networks = outputs.get("networksAdvanced") or []
        if given.get(labels.ROLE) == "hub" and networks:
            found[given[labels.HUB]] = str(networks[0].get("ipv4Address"))
    return found


def addresses(subnet: str | None, stack: str) -> Addresses:
    """The addresses in a subnet, or in one that follows from the stack's name.

    Two stacks on one engine then seldom ask for the same; Docker refuses where they do.
    """
    if subnet is not None:
        return Addresses(ipaddress.IPv4Network(subnet))
    number = int.from_bytes(hashlib.sha256(stack.encode()).digest()[:4])
    start = int(_POOL.network_address) + (number % 2 ** (_PREFIX - _POOL.prefixlen)) * 2 ** (32 - _PREFIX)
    return Addresses(ipaddress.IPv4Network((start, _PREFIX)))
