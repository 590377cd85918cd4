"""Names are the contract between proxy, hub and Docker."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubconfig.names import PREFIX_MAX, USER_MAX, USER_NAME, prefix, safe_name, user_prefix

github_logins = st.from_regex(r"[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*", fullmatch=True).filter(
    lambda n: len(n) <= USER_MAX
)


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


@given(
    st.from_regex(r"[A-Za-z0-9_.-]{1,80}", fullmatch=True),
    st.sampled_from(["hub", "astro", "a-long-hub-name"]),
)
def test_a_container_name_fits_a_dns_label_for_every_stack(stack: str, hub: str) -> None:
    assert len(user_prefix(stack, hub)) <= PREFIX_MAX
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", prefix(stack, hub))


def test_the_first_hub_of_a_stack_is_called_like_the_stack() -> None:
    assert user_prefix("local") == "local-user-"
    assert user_prefix("local", "astro") == "local-astro-user-"
