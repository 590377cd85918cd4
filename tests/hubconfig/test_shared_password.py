"""The shared password: who it lets in, and that nobody becomes an administrator by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubconfig.access.refusals import NotLetInError
from hubconfig.names import safe_name
from tests.hubconfig.signing_in import ADMIN_PASSWORD, PASSWORD, Hub, User


@pytest.fixture
def shared(tmp_path: Path) -> Hub:
    return Hub(tmp_path, "", {"kind": "sharedPassword"}, admins=["ada"])


def test_the_shared_password_lets_any_name_in(shared: Hub) -> None:
    found = shared.sign_in(username=" Grace Hopper ", password=PASSWORD)
    assert found
    assert (found["name"], found["admin"]) == (safe_name("grace hopper"), False)
    assert shared.refresh(User(found["name"])) is True


@pytest.mark.parametrize("name", ["ada", "ADA", " Ada "])
def test_nobody_is_an_admin_by_the_shared_password(shared: Hub, name: str) -> None:
    assert shared.sign_in(username=name, password=PASSWORD) is None
    found = shared.sign_in(username=name, password=ADMIN_PASSWORD)
    assert found
    assert (found["name"], found["admin"]) == ("ada", True)


@pytest.mark.parametrize(
    "form",
    [
        {"username": "bob", "password": "wrong"},
        {"username": "bob", "password": ADMIN_PASSWORD},
        {"username": "bob", "password": "wröng"},
        {"username": "bob", "password": ""},
        {"username": "", "password": PASSWORD},
        {"username": "x" * 256, "password": PASSWORD},
        {"password": PASSWORD},
    ],
)
def test_a_wrong_form_lets_nobody_in(shared: Hub, form: dict[str, str]) -> None:
    assert shared.sign_in(**form) is None


def test_the_lists_hold_for_the_shared_password_too(tmp_path: Path) -> None:
    hub = Hub(tmp_path, "", {"kind": "sharedPassword"}, access={"allow": ["ada"]})
    assert hub.sign_in(username="Ada", password=PASSWORD)
    with pytest.raises(NotLetInError):
        hub.sign_in(username="bob", password=PASSWORD)
