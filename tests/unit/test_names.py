"""Names are the contract between proxy, hub and Docker: no two things share one."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubconfig.names import (
    FIRST_HUB,
    HOST_LABEL_MAX,
    USER_MAX,
    USER_NAME,
    Names,
    former_hub,
    host_label,
    host_pattern,
    safe_name,
    user_of_host,
)

github_logins = st.from_regex(r"[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*", fullmatch=True).filter(
    lambda n: len(n) <= USER_MAX
)
words = st.lists(
    st.sampled_from(
        ["a", "b", "x", "hub", "user", "space", "proxy", "backup", "home", "limits", "1a2b3c", "astro"]
    ),
    min_size=1,
    max_size=4,
).map("-".join)
"""Names that are near to each other and to our own."""

stacks = words | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,80}", fullmatch=True)
hubs = words.filter(lambda name: len(name) <= 30) | st.just(FIRST_HUB)
users = (words | st.text(min_size=1).filter(lambda text: text.strip())).map(safe_name)


@given(github_logins)
def test_a_github_login_is_its_own_name_in_lower_case(login: str) -> None:
    assert safe_name(login) == login.lower()


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_any_name_becomes_one_that_path_container_and_dns_all_accept(name: str) -> None:
    safe = safe_name(name)
    assert USER_NAME.fullmatch(safe)
    assert len(safe) <= USER_MAX


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_a_name_made_safe_stays_as_it_is(name: str) -> None:
    once = safe_name(name)
    assert "--" in once or safe_name(once) == once


@given(st.lists(st.text(min_size=1, max_size=60), min_size=2, max_size=2))
def test_two_people_never_share_a_container(names: list[str]) -> None:
    first, second = (name.strip().casefold() for name in names)
    if first and second and first != second:
        assert safe_name(first) != safe_name(second)


@pytest.mark.parametrize(
    "name", ["../../etc", "ada/../root", "a b", "ada\x00", "-x", "x-", "a--b", "💥", "é" * 80]
)
def test_an_odd_name_cannot_reach_beyond_its_place(name: str) -> None:
    assert USER_NAME.fullmatch(safe_name(name))


@pytest.mark.parametrize("name", ["", "  ", "\n"])
def test_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        safe_name(name)


def everything(
    stack: str, its_hubs: list[str], its_users: list[str], spaces: list[str]
) -> dict[tuple[str, ...], str]:
    """Thing to the name of its container, of one stack."""
    names = Names(stack)
    found: dict[tuple[str, ...], str] = {
        (stack, "proxy"): names.proxy,
        (stack, "fence"): names.fence,
        (stack, "backup"): names.backup,
        (stack, "home limits"): names.home_limits,
    }
    found |= {(stack, "space", space): names.space(space) for space in spaces}
    found |= {(stack, "hub", hub): names.hub(hub) for hub in its_hubs}
    found |= {(stack, "user", hub, user): names.server(hub, user) for hub in its_hubs for user in its_users}
    return found


@given(
    st.lists(stacks, min_size=1, max_size=3, unique=True),
    st.lists(hubs, min_size=1, max_size=3, unique=True),
    st.lists(users, max_size=3, unique=True),
    st.lists(words, max_size=2, unique=True),
)
def test_different_things_on_one_engine_have_different_names(
    its_stacks: list[str], its_hubs: list[str], its_users: list[str], spaces: list[str]
) -> None:
    found: dict[tuple[str, ...], str] = {}
    for stack in its_stacks:
        found |= everything(stack, its_hubs, its_users, spaces)
    assert len(set(found.values())) == len(found)


@given(st.lists(stacks, min_size=2, max_size=4, unique=True))
def test_two_stacks_share_no_network_and_no_bridge(its_stacks: list[str]) -> None:
    for one, other in combinations(map(Names, its_stacks), 2):
        assert one.network != other.network
        assert one.bridge != other.bridge
        assert len(one.bridge) <= 15


@given(stacks, hubs, users)
def test_a_containers_name_fits_a_dns_label(stack: str, hub: str, user: str) -> None:
    for name in (Names(stack).server(hub, user), Names(stack).hub(hub)):
        assert len(name) <= 63
        assert USER_NAME.fullmatch(name)


def test_what_once_met_no_longer_does() -> None:
    assert Names("s").server(FIRST_HUB, "x-hub") != Names("s").hub("user-x")
    assert Names("a").hub("b") != Names("a-b").hub(FIRST_HUB)
    assert Names("s").space("x-hub") != Names("s").hub("space-x")
    assert Names("s").server("pw", "hub") != Names("s").hub("pw-user")
    assert Names("s").server(FIRST_HUB, "x-hub") != Names("s-user-x").hub(FIRST_HUB)


@pytest.mark.parametrize("stack", ["local", "arbutus", "aws-free", "server"])
def test_the_first_hub_of_a_stack_is_called_like_the_stack(stack: str) -> None:
    assert Names(stack).hub(FIRST_HUB) == f"{stack}-hub" == former_hub(stack, FIRST_HUB)
    assert Names(stack).user_prefix(FIRST_HUB) == f"{stack}-user-"
    assert Names(stack).proxy == f"{stack}-proxy"


def test_a_further_hub_is_still_known_by_its_name() -> None:
    assert re.fullmatch(r"local-astro-[0-9a-f]{6}-hub", Names("local").hub("astro"))
    assert former_hub("local", "astro") == "local-astro-hub"


hub_names = hubs | st.from_regex(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?", fullmatch=True)
"""As a stack file may name them: several hyphens, too."""

short_users = st.from_regex(r"[a-z0-9]{1,3}(--[0-9a-f]{16})?", fullmatch=True)
"""Those whose labels may have hyphens where authorities sign none."""

DOMAIN = "users.example.org"


@given(hub_names, users | short_users)
def test_a_users_host_is_a_name_that_dns_and_authorities_take(hub: str, user: str) -> None:
    label = host_label(hub, user)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", label)
    assert len(label) <= HOST_LABEL_MAX
    assert label[2:4] != "--"


@given(st.sets(st.tuples(hub_names, users | short_users), min_size=2, max_size=6))
def test_no_two_users_of_a_site_share_a_host(its_users: set[tuple[str, str]]) -> None:
    assert len({host_label(hub, user) for hub, user in its_users}) == len(its_users)


@given(hub_names, hub_names, users | short_users)
def test_a_host_leads_to_its_users_container_and_no_other_hubs(hub: str, other: str, user: str) -> None:
    host = f"{host_label(hub, user)}.{DOMAIN}"
    found = re.search(host_pattern(hub, DOMAIN), host)
    assert found
    assert found[1] == user == user_of_host(hub, DOMAIN, host)
    if other != hub:
        assert re.search(host_pattern(other, DOMAIN), host) is None
        assert user_of_host(other, DOMAIN, host) is None


@pytest.mark.parametrize(
    "host",
    [
        *("ada.example.org", "users.example.org", ".users.example.org", "a.b.users.example.org", "ada"),
        *("Ada.users.example.org", "ada.usersxexample.org", "ada.users.example.org.evil.org"),
        *("a_b.users.example.org", "-a.users.example.org", "a-.users.example.org", "a---b.users.example.org"),
        *("user----ada.users.example.org", "ada.users.example.org\n", "ada.users.example.org:443", ""),
    ],
)
def test_any_other_host_is_nobodys(host: str) -> None:
    assert user_of_host(FIRST_HUB, DOMAIN, host) is None


def test_a_host_is_called_like_its_user() -> None:
    assert host_label(FIRST_HUB, "ada") == "ada"
    assert host_label("astro", "ada") == "ada---astro"
    assert host_label(FIRST_HUB, "ab--0123456789abcdef") == "user----ab--0123456789abcdef"
