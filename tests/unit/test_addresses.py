"""The containers' network."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from infra.site.addresses import addresses


@given(st.text(min_size=1, max_size=40))
def test_every_stack_gets_a_private_network_with_room_for_all(stack: str) -> None:
    found = addresses(None, stack)
    assert found.network.is_private
    assert found.network.num_addresses >= 4096
    ours = [found.gateway, found.proxy, found.hub(0), found.hub(1)]
    assert len(set(ours)) == 4
    users = ipaddress.IPv4Network(found.users)
    assert all(ipaddress.IPv4Address(address) in found.network for address in ours)
    assert not any(ipaddress.IPv4Address(address) in users for address in ours)


def test_a_stack_keeps_its_network() -> None:
    assert addresses(None, "local") == addresses(None, "local")
    assert addresses(None, "local") != addresses(None, "arbutus")


def test_a_network_can_be_chosen() -> None:
    found = addresses("10.9.0.0/24", "local")
    assert (found.gateway, found.proxy, found.hub(0)) == ("10.9.0.1", "10.9.0.2", "10.9.0.3")
    assert found.users == "10.9.0.128/25"
