"""Ports of the loopback address for servers that a test starts."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on; all different.

    They are below those that Linux gives to outgoing connections, of which one may take a free port for
    itself before a stack that was killed half-way is brought up again.
    """
    lowest_outgoing = int(_OUTGOING.read_text().split()[0])
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(10_000, lowest_outgoing)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if port not in ports:
                ports.append(port)
    return ports
