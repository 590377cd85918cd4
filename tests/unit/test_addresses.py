"""The containers' network."""

from __future__ import annotations

import ipaddress

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.site.addresses import addresses, kept


@given(st.text(min_size=1, max_size=40))
def test_every_stack_gets_a_private_network_with_room_for_all(stack: str) -> None:
    found = addresses(None, stack)
    assert found.network.is_private
    assert found.network.num_addresses >= 4096
    ours = [found.gateway, found.proxy, *found.hubs(["hub", "astro"], {}).values()]
    assert len(set(ours)) == 4
    users = ipaddress.IPv4Network(found.users)
    assert all(ipaddress.IPv4Address(address) in found.network for address in ours)
    assert not any(ipaddress.IPv4Address(address) in users for address in ours)


def test_a_stack_keeps_its_network() -> None:
    assert addresses(None, "local") == addresses(None, "local")
    assert addresses(None, "local") != addresses(None, "arbutus")


def test_a_network_can_be_chosen() -> None:
    found = addresses("10.9.0.0/24", "local")
    assert (found.gateway, found.proxy) == ("10.9.0.1", "10.9.0.2")
    assert found.hubs(["hub"], {}) == {"hub": "10.9.0.3"}
    assert found.users == "10.9.0.128/25"


@given(
    st.lists(st.frozensets(st.sampled_from(["hub", "a", "astro", "b", "z", "zoo"]), min_size=1), max_size=12)
)
def test_whatever_hubs_come_and_go_nobody_moves_and_nobody_shares(history: list[frozenset[str]]) -> None:
    network = addresses("10.9.0.0/24", "local")
    has: dict[str, str] = {}
    for hubs in history:
        given_ = network.hubs(sorted(hubs), has)
        assert set(given_) == hubs
        assert all(given_[hub] == has[hub] for hub in hubs & has.keys())
        # While the update runs, those that go are still there.
        at_once = has | given_
        assert len(set(at_once.values())) == len(at_once)
        has = given_


def test_an_address_of_another_network_is_not_kept() -> None:
    network = addresses("10.9.0.0/24", "local")
    assert network.hubs(["hub"], {"hub": "10.8.0.3"}) == {"hub": "10.9.0.3"}


def test_a_network_that_is_too_small_for_another_hub_says_so() -> None:
    network = addresses("10.9.0.0/28", "local")
    hubs = ["hub", *"abcd"]
    assert len(set(network.hubs(hubs, {}).values())) == 5
    with pytest.raises(pulumi.RunError, match=r"network\.subnet: .* no address for the hub e"):
        network.hubs([*hubs, "e"], {})


def test_what_a_hub_has_is_read_from_the_state() -> None:
    def container(role: str, hub: str | None, address: str) -> dict[str, object]:
        given = {"cyberhubs.role": role, "cyberhubs.stack": "s", **({"cyberhubs.hub": hub} if hub else {})}
        labels = [{"label": label, "value": value} for label, value in given.items()]
        networks = [{"name": "cyberhub-s", "ipv4Address": address}]
        return {"outputs": {"labels": labels, "networksAdvanced": networks}}

    state: list[dict[str, object]] = [
        {"type": "pulumi:pulumi:Stack", "outputs": {"url": "https://localhost"}},
        container("proxy", None, "10.9.0.2"),
        container("hub", "astro", "10.9.0.7"),
    ]
    assert kept(state) == {"astro": "10.9.0.7"}
