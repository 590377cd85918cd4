"""What the rig for tests on a real OpenStack decides before it starts anything."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from tests.openstack.rig import ranges
from tests.openstack.rig.ranges import RangeInUseError, choose


def nets(*cidrs: str) -> list[IPv4Network]:
    return [IPv4Network(cidr) for cidr in cidrs]


@pytest.mark.parametrize(
    "used",
    [
        nets("172.24.4.0/24"),
        nets("172.24.0.0/20"),  # a larger one around it
        nets("172.24.4.7/32"),  # a name server, or an address that a download comes from
    ],
)
def test_a_range_in_which_anything_is_in_use_is_not_taken(used: list[IPv4Network]) -> None:
    free = nets("172.24.4.0/24", "10.98.0.0/24")
    assert choose(free, used) == IPv4Network("10.98.0.0/24")


def test_the_first_free_range_is_taken() -> None:
    assert choose(nets("172.24.4.0/24", "10.98.0.0/24"), nets("10.0.0.0/9")) == IPv4Network("172.24.4.0/24")


def test_no_range_at_all_is_an_error_that_names_them() -> None:
    with pytest.raises(RangeInUseError, match=r"all of 172\.24\.4\.0/24 are in use"):
        choose(nets("172.24.4.0/24"), nets("172.16.0.0/12"))


def test_no_documentation_range_is_among_the_candidates() -> None:
    documentation = nets("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    for candidate in (*ranges.FLOATING, *ranges.SERVICES):
        assert not any(candidate.overlaps(other) for other in documentation)
