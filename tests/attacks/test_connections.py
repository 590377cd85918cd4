"""Many connections: whoever opens them finds an end to it, and others do not notice."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.attacks.fenced import (
    BOB,
    CLOUDS,
    HUB,
    MACHINE,
    OUTSIDE,
    OUTSIDE_PORT,
    PER_ADDRESS,
    PORT,
    PROXY,
    at_the_institute,
    fenced,
    in_container,
    taking,
)
from tests.images.building import inside, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make networks")


@pytest.fixture(scope="module", autouse=True)
def _fenced() -> Iterator[None]:
    with fenced():
        yield


@pytest.mark.parametrize(("target", "port"), [(HUB, 8081), (PROXY, 8443), (PROXY, 8080)])
def test_a_server_cannot_take_all_connections_of_hub_or_proxy(target: str, port: int) -> None:
    with taking(in_container("attacks-ada"), 300, (target, port)) as ada:
        assert ada.held == 64
        assert ada.refused == 236
        with taking(in_container("attacks-bob"), 5, (target, port)) as bob:
            assert bob.held == 5
    # Whoever lets go may have new ones; the kernel notices by and by which are gone.
    until(lambda: _gets_one(target, port), "she gets a new one", within_s=10)


def _gets_one(target: str, port: int) -> bool:
    with taking(in_container("attacks-ada"), 1, (target, port)) as again:
        return again.held == 1


def test_two_ports_of_the_proxy_do_not_count_twice() -> None:
    with (
        taking(in_container("attacks-ada"), 60, (PROXY, 8443)) as first,
        taking(in_container("attacks-ada"), 60, (PROXY, 8080)) as second,
    ):
        assert (first.held, second.held) == (60, 4)


def test_the_proxy_reaches_servers_and_hub_as_often_as_it_must() -> None:
    """Behind it are all users of all servers."""
    with (
        taking(in_container("attacks-proxy"), 300, (BOB, 8888)) as servers,
        taking(in_container("attacks-proxy"), 300, (HUB, 8081)) as hub,
    ):
        assert (servers.held, hub.held) == (300, 300)


def test_an_address_outside_cannot_take_all_connections_of_the_proxy() -> None:
    attacker, visitor = OUTSIDE
    with taking(at_the_institute(), PER_ADDRESS + 100, (MACHINE, PORT), attacker) as many:
        assert (many.held, many.refused) == (PER_ADDRESS, 100)
        with taking(at_the_institute(), 5, (MACHINE, PORT), visitor) as few:
            assert few.held == 5


def test_a_server_reaches_the_world_but_not_what_clouds_tell_their_machines() -> None:
    with taking(in_container("attacks-ada"), 1, (OUTSIDE[0], OUTSIDE_PORT)) as world:
        assert world.held == 1
    for address in CLOUDS:
        with taking(in_container("attacks-ada"), 1, (address, OUTSIDE_PORT)) as cloud:
            assert cloud.held == 0, address


def test_the_table_of_the_machines_connections_is_not_one_servers_to_fill() -> None:
    """Also by what it closes at once, or sends without connecting: both are tracked for minutes."""
    before = _tracked()
    script = (
        "import socket, time\n"
        "end, sent = time.monotonic() + 8, 0\n"
        "while time.monotonic() < end and sent < 30_000:\n"
        "    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:\n"
        f"        one.sendto(b'x', ('{OUTSIDE[0]}', 9))\n"
        "    sent += 1\n"
        "print(sent)\n"
    )
    begun = time.monotonic()
    sent = int(inside("attacks-ada", "python3", "-c", script))
    seconds = time.monotonic() - begun
    assert sent > 10_000, "the attack itself is too slow to tell anything"
    assert _tracked() - before < 2000 + 100 * seconds + 500
    # Whoever begins a little gets through meanwhile.
    with taking(in_container("attacks-bob"), 3, (HUB, 8081)) as bob:
        assert bob.held == 3


def _tracked() -> int:
    return int(
        subprocess.run(
            ["cat", "/proc/sys/net/netfilter/nf_conntrack_count"], capture_output=True, text=True, check=True
        ).stdout
    )
