"""What a machine that is made here is reached by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Final

PUBLIC_PORTS: Final = MappingProxyType({"ssh": 22, "http": 80, "https": 443})
"""Service to TCP port; all else stays closed."""


def openings(admin_cidrs: Sequence[str]) -> Iterator[tuple[str, int, str]]:
    """Service, TCP port and network of each opening in a firewall: SSH for administrators, the web for all.

    :param admin_cidrs: the administrators' networks.
    """
    for service, port in PUBLIC_PORTS.items():
        for cidr in dict.fromkeys(admin_cidrs) if service == "ssh" else ["0.0.0.0/0"]:
            yield service, port, cidr
