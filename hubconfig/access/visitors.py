"""From where a request comes, as nobody can feign it: what headers say counts only if the proxy says it."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any


def address_of(request: Any, proxy: str) -> str:
    """The address of whoever sent a request.

    :param request: tornado's.
    :param proxy: the proxy's name on the hub's network. Users' servers reach the hub without it.
    """
    peer, *_ = request.connection.context.address
    said = request.headers.get("X-Forwarded-For", "")
    if not said or not _is_at(proxy, peer):
        return str(peer)
    # Another proxy before ours adds itself at the end; its address is of the institute's own network.
    known = [each for each in (_parsed(part) for part in reversed(said.split(","))) if each]
    outside = [each for each in known if each.is_global]
    return str(next(iter(outside or known), peer))


def _is_at(name: str, address: str) -> bool:
    try:
        return bool(name) and socket.gethostbyname(name) == address
    except OSError:
        return False


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None
