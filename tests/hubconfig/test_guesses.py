"""Who guesses passwords has to wait, and nobody else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from tornado.httputil import HTTPHeaders

from hubconfig.access.guesses import FOR_ADDRESS, FOR_NAME, Guesses
from hubconfig.access.visitors import address_of
from hubconfig.auth_options import SharedPasswordAuth
from hubconfig.options import HubOptions
from tests.hubconfig.running_hub import RunningHub, running_hub

RIGHT = "the-shared-password"
HOME, CAFE = "203.0.113.7", "198.51.100.9"
PROXY, SERVER = "10.0.0.2", "10.0.8.9"


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_name_is_guessed_a_few_times_from_an_address_and_then_now_and_then(clock: Clock) -> None:
    guesses, tried = Guesses(clock), 0
    for _ in range(3600):
        if not guesses.wait_s("ada", CAFE):
            guesses.wrong("ada", CAFE)
            tried += 1
        clock.now += 1
    assert FOR_NAME.at_once < tried <= FOR_NAME.at_once + 3600 / FOR_NAME.every_s


def test_many_names_from_an_address_are_no_way_round(clock: Clock) -> None:
    guesses, tried = Guesses(clock), 0
    for number in range(100_000):
        if not guesses.wait_s(f"user{number}", CAFE):
            guesses.wrong(f"user{number}", CAFE)
            tried += 1
        clock.now += 0.01
    assert tried <= FOR_ADDRESS.at_once + 1000 / FOR_ADDRESS.every_s


@pytest.mark.parametrize("name", ["ada", "ADA", "Ada"])
def test_the_owner_gets_in_from_elsewhere_while_others_guess(clock: Clock, name: str) -> None:
    guesses = Guesses(clock)
    for _ in range(10):
        guesses.wrong(name, CAFE)
    assert guesses.wait_s("ada", CAFE) > 0
    assert guesses.wait_s("ada", HOME) == 0
    assert guesses.wait_s("bob", CAFE) == 0


def test_who_waits_may_guess_again(clock: Clock) -> None:
    guesses = Guesses(clock)
    for _ in range(FOR_NAME.at_once):
        assert guesses.wait_s("ada", CAFE) == 0
        guesses.wrong("ada", CAFE)
    clock.now += guesses.wait_s("ada", CAFE)
    assert guesses.wait_s("ada", CAFE) == 0


def request(peer: str, **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    context = SimpleNamespace(address=(peer, 40000))
    return SimpleNamespace(connection=SimpleNamespace(context=context), headers=HTTPHeaders(names))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (request(PROXY, X_Forwarded_For=HOME), HOME),
        (request(PROXY, X_Forwarded_For=HOME, X_Real_IP=CAFE), HOME),
        (request(SERVER, X_Forwarded_For="8.8.8.8"), SERVER),
        (request(SERVER, X_Real_IP="8.8.8.8"), SERVER),
        (request(PROXY, X_Forwarded_For="1.1.1.1, 8.8.8.8"), "8.8.8.8"),
        (request(PROXY, X_Forwarded_For="8.8.8.8, 192.168.1.1"), "8.8.8.8"),
        (request(PROXY, X_Forwarded_For="nonsense"), PROXY),
        (request(PROXY), PROXY),
    ],
)
def test_where_somebody_is_cannot_be_feigned(monkeypatch: pytest.MonkeyPatch, asked: Any, found: str) -> None:
    monkeypatch.setattr(socket, "gethostbyname", lambda name: {"s-proxy": PROXY}[name])
    assert address_of(asked, "s-proxy") == found


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    options = HubOptions(auth=SharedPasswordAuth(kind="sharedPassword"), admins=("grace",))
    with running_hub(tmp_path_factory.mktemp("guesses"), options) as hub:
        yield hub


def answer(hub: RunningHub, name: str, password: str) -> requests.Response:
    return hub.browser().sign_in_with_password(name, password)


def test_a_guesser_is_told_to_wait_and_the_trail_says_who_it_was(hub: RunningHub) -> None:
    codes = [answer(hub, "ada", f"guess-{number}").status_code for number in range(8)]
    assert codes == [403] * FOR_NAME.at_once + [429] * (8 - FOR_NAME.at_once)
    page = answer(hub, "ada", RIGHT)
    assert page.status_code == 429
    assert "Too many wrong passwords" in page.text
    assert answer(hub, "bob", RIGHT).ok
    trail = (hub.folder / "state" / "audit.log").read_text()
    assert trail.count("sign-in: a wrong password for ada from 127.0.0.1") == FOR_NAME.at_once
    assert "User logged in: bob" in trail
    assert "guess-" not in trail
    assert RIGHT not in trail
