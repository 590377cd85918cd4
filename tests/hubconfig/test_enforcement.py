"""A real hub, real sessions and real processes as servers: who is taken off the lists is out, and soon."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import requests

from hubconfig.auth_options import SharedPasswordAuth
from tests.hubconfig.provider import CLIENT_SECRET, Provider, provider
from tests.hubconfig.put_out import (
    PEOPLE,
    WITHIN_S,
    OpenHours,
    options,
    token_of,
    token_works,
    with_server,
)
from tests.hubconfig.running_hub import RunningHub, alive, eventually, is_gone, running_hub


@pytest.fixture(scope="module")
def github() -> Iterator[Provider]:
    with provider() as server:
        for number, name in enumerate(PEOPLE, 1):
            server.account(name, number)
        yield server


@pytest.fixture(scope="module")
def closing(tmp_path_factory: pytest.TempPathFactory, github: Provider) -> Iterator[OpenHours]:
    until = datetime.now(UTC) + timedelta(seconds=30)
    folder = tmp_path_factory.mktemp("open-hours")
    (folder / "access").mkdir()
    (folder / "access" / "wlist").write_text("bob")
    with running_hub(folder, options(github, mode="listed", openUntil=until), github) as hub:
        found = OpenHours(until, with_server(hub, "ada"), with_server(hub, "bob"))
        assert datetime.now(UTC) < until, "this machine is too slow for the test"
        yield found


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory,
    github: Provider,
    closing: OpenHours,  # which goes on by itself while the other tests run
) -> Iterator[RunningHub]:
    folder = tmp_path_factory.mktemp("hub")
    (folder / "access").mkdir()
    (folder / "access" / "wlist").write_text("\n".join((*PEOPLE, "org:uvic")))
    with running_hub(folder, options(github, mode="listed"), github) as hub:
        yield hub


@pytest.fixture
def hub(running: RunningHub) -> Iterator[RunningHub]:
    yield running
    running.put("wlist", "\n".join((*PEOPLE, "org:uvic")))
    running.put("blist", "")
    if running.provider:
        running.provider.fault = None


def test_a_banned_person_is_out_in_seconds_and_learns_why(hub: RunningHub) -> None:
    browser, pid = with_server(hub, "ada")
    token = token_of(browser, "ada")
    assert token_works(hub, token)
    begun = time.monotonic()
    hub.put("blist", "# for a reason\r\nADA\r\n")
    eventually(lambda: not alive(pid), WITHIN_S)
    eventually(lambda: not browser.is_in(), WITHIN_S)
    eventually(lambda: not token_works(hub, token), WITHIN_S)
    assert time.monotonic() - begun < WITHIN_S
    page = browser.sign_in("ada")
    assert page.status_code == 403
    assert "ada is blocked on this hub" in page.text
    assert "access: denied ada (id 1): banned (blist line 2)" in hub.log
    # The server's process may end a moment before the hub notices and says so.
    eventually(lambda: "access: put out ada: servers gone" in hub.log, 10, hub.log)

    hub.put("blist", "")
    eventually(lambda: browser.sign_in("ada").ok, WITHIN_S)
    assert browser.is_in()
    assert not token_works(hub, token)


def test_somebody_taken_off_the_list_is_out_and_others_are_not(hub: RunningHub) -> None:
    bob, bobs = with_server(hub, "bob")
    carol, carols = with_server(hub, "carol")
    hub.put("wlist", "carol\n")
    eventually(lambda: not alive(bobs), WITHIN_S)
    assert not bob.is_in()
    assert alive(carols)
    assert carol.is_in()
    assert "not on the list" in bob.sign_in("bob").text
    carol.api("DELETE", "/users/carol/server")


def test_an_old_cookie_stays_dead_after_the_ban_is_lifted(hub: RunningHub) -> None:
    browser = hub.browser()
    browser.sign_in("fay")
    cookies = browser.session.cookies.copy()
    hub.put("blist", "fay")
    eventually(lambda: not browser.is_in(), WITHIN_S)
    hub.put("blist", "")
    again = hub.browser()
    eventually(lambda: again.sign_in("fay").ok, WITHIN_S)
    browser.session.cookies = cookies
    assert not browser.is_in()


def test_a_server_that_will_not_stop_is_killed_in_time(hub: RunningHub) -> None:
    _, pid = with_server(hub, "deaf-dan")
    hub.put("blist", "deaf-dan")
    eventually(lambda: not alive(pid), WITHIN_S)


def test_a_server_on_its_way_up_does_not_arrive(hub: RunningHub) -> None:
    browser = hub.browser()
    browser.sign_in("slow-eve")
    asking = threading.Thread(target=browser.api, args=("POST", "/users/slow-eve/server"))
    asking.start()
    eventually(lambda: "slow-eve" in hub.servers(), WITHIN_S)
    hub.put("blist", "slow-eve")
    eventually(lambda: "slow-eve" not in hub.servers(), WITHIN_S)
    asking.join()
    time.sleep(1)  # longer than the rest of the start would have taken
    assert "slow-eve" not in hub.servers()


def test_a_stop_that_fails_is_tried_again_until_the_process_is_gone(hub: RunningHub) -> None:
    _, pid = with_server(hub, "gil")
    (hub.folder / "stop-fails").write_text("xxx")
    hub.put("blist", "gil")
    eventually(lambda: not (hub.folder / "stop-fails").exists(), WITHIN_S)
    eventually(lambda: not alive(pid), WITHIN_S)


def test_a_banned_admin_is_no_exception(hub: RunningHub) -> None:
    browser = hub.browser()
    browser.sign_in("hal")
    assert browser.get("/hub/admin").status_code == 200
    hub.put("blist", "hal")
    eventually(lambda: not browser.is_in(), WITHIN_S)
    assert browser.sign_in("hal").status_code == 403


def test_an_admin_goes_on_while_others_are_put_out_and_cannot_start_a_server_for_them(
    hub: RunningHub,
) -> None:
    admin = hub.browser()
    admin.sign_in("root")
    hub.browser().sign_in("ivy")
    assert admin.api("POST", "/users/ivy/server").status_code == 201
    assert admin.api("DELETE", "/users/ivy/server").status_code == 204
    hub.put("blist", "ivy")
    eventually(lambda: "denied ivy" in hub.log, WITHIN_S)
    refused = admin.api("POST", "/users/ivy/server")
    assert refused.status_code == 403
    assert admin.get("/hub/admin").status_code == 200
    eventually(lambda: "ivy" not in hub.servers(), WITHIN_S)


def test_a_former_member_s_server_is_stopped(hub: RunningHub, github: Provider) -> None:
    member = github.account("zoe", 77, orgs=["UVic"])
    _, pid = with_server(hub, "zoe")
    assert github.scopes_asked[-1] == "read:org"
    github.fault = (502, {})
    time.sleep(1.2)
    assert alive(pid)
    github.fault = None
    tokens: list[str] = []
    for _ in range(2):
        member.orgs.clear()
        eventually(partial(is_gone, pid), WITHIN_S)
        member.orgs.append("uvic")
        browser, pid = with_server(hub, "zoe")
        assert not any(token_works(hub, token) for token in tokens)
        tokens.append(token_of(browser, "zoe"))
    browser.api("DELETE", "/users/zoe/server")


def test_a_banned_person_who_takes_another_name_stays_out(hub: RunningHub, github: Provider) -> None:
    browser = hub.browser()
    assert browser.sign_in("renamed").ok
    hub.put("blist", "renamed")
    eventually(lambda: not browser.is_in(), WITHIN_S)
    github.rename("renamed", "fresh")
    hub.put("wlist", "fresh")
    eventually(lambda: "blocked" in hub.browser().sign_in("fresh").text, WITHIN_S)
    github.account("renamed", 4711)
    hub.put("blist", "")
    hub.put("wlist", "renamed")
    eventually(lambda: "Another account used the name" in hub.browser().sign_in("renamed").text, WITHIN_S)


@pytest.mark.parametrize(
    ("back", "status", "says"),
    [
        ({"error": "access_denied", "state": "x"}, 400, "did not agree"),
        ({"error": "redirect_uri_mismatch", "state": "x"}, 503, "how the hub is set up"),
        ({"code": "c", "state": "x"}, 400, "took too long"),
        ({"state": "x"}, 400, "took too long"),
    ],
)
def test_what_goes_wrong_on_the_way_back_is_said_in_words(
    hub: RunningHub, back: dict[str, str], status: int, says: str
) -> None:
    page = hub.browser().sign_in("ada", back)
    assert page.status_code == status
    assert says in page.text
    assert "Try again" in page.text


def test_a_provider_that_fails_has_a_page_and_no_secret_in_the_log(hub: RunningHub, github: Provider) -> None:
    browser = hub.browser()
    away = browser.get("/hub/oauth_login", allow_redirects=False).headers["Location"]
    home = requests.get(f"{away}&login=ada", allow_redirects=False, timeout=5).headers["Location"]
    github.fault = (502, {})
    page = browser.session.get(home, timeout=10)
    assert page.status_code == 503
    assert "GitHub does not answer" in page.text
    assert "sign-in: failed" in hub.log
    assert CLIENT_SECRET not in hub.log


def test_whoever_was_banned_while_the_hub_was_down_is_put_out_when_it_is_back(hub: RunningHub) -> None:
    browser, pid = with_server(hub, "ada")
    other, others = with_server(hub, "bob")
    hub.stop()
    assert alive(pid)
    hub.put("blist", "ada")
    hub.start()
    eventually(lambda: not alive(pid), WITHIN_S)
    assert not browser.is_in()
    assert alive(others)
    assert other.is_in()


def test_the_form_for_the_shared_password_lets_in_and_says_why_not(tmp_path: Path, github: Provider) -> None:
    told = options(github).model_copy(update={"auth": SharedPasswordAuth(kind="sharedPassword")})
    (tmp_path / "access").mkdir()
    (tmp_path / "access" / "blist").write_text("mallory")
    with running_hub(tmp_path, told) as hub:
        ada = hub.browser()
        assert "Invalid username or password" in ada.sign_in_with_password("Ada", "wrong").text
        assert ada.sign_in_with_password("Ada", "the-shared-password").ok
        assert ada.is_in()
        mallory = hub.browser()
        page = mallory.sign_in_with_password("Mallory", "the-shared-password")
        assert page.status_code == 403
        assert "Mallory is blocked on this hub" in page.text
        assert not mallory.is_in()
        root = hub.browser()
        assert root.sign_in_with_password("root", "the-shared-password").status_code == 403
        assert root.sign_in_with_password("root", "the-password-that-only-admins-have-been-told").ok
        assert root.get("/hub/admin").ok
        assert "the-shared-password" not in hub.log


def test_the_end_of_the_open_hours_puts_strangers_out(closing: OpenHours) -> None:
    eventually(lambda: datetime.now(UTC) > closing.until, 40)
    eventually(lambda: not alive(closing.stranger[1]), WITHIN_S)
    assert not closing.stranger[0].is_in()
    assert alive(closing.listed[1])
    assert closing.listed[0].is_in()
