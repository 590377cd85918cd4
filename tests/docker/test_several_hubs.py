"""Two hubs on one machine, each with its own menu, lists and admins; and a hub that is open for a while."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hubconfig.names import Names
from infra.site.addresses import addresses
from tests.docker.conftest import deployed
from tests.hubconfig.provider import CLIENT_ID, CLIENT_SECRET, Provider, provider
from tests.support.browser import Browser, browser
from tests.support.deployment import Deployment, docker

NAME = "several"

STUDENT = Names(NAME).server("astro", "ada")

SOON_S = 5.0
"""What an administrator is promised: who may no longer be in is out within this time."""


@pytest.fixture(scope="module")
def github() -> Iterator[Provider]:
    # The hubs reach the machine by their network's gateway, which is there once the network is.
    with provider(addresses(None, NAME).gateway, listen_on="0.0.0.0") as server:
        server.account("Ada", 1)
        server.account("bob", 2)
        server.account("carol", 3, orgs=["uvic"])
        server.account("grace", 4)
        yield server


def two_hubs(github: Provider, **access: Any) -> dict[str, Any]:
    auth = {"kind": "github", "url": github.url, "apiUrl": github.url}
    return {
        "hub": {"title": "The group", "auth": auth, "access": access},
        "hubs": {
            "astro": {
                "title": "The course",
                "auth": auth,
                "admins": ["grace"],
                "access": {"mode": "listed"},
                "menu": [{"name": "stars", "title": "Stars", "build": "corehub", "memoryMb": 512}],
                "limits": {"servers": 1},
            }
        },
    }


@pytest.fixture(scope="module")
def hubs(github: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    secrets = {"oauthClientId": CLIENT_ID, "oauthClientSecret": CLIENT_SECRET}
    with deployed(NAME, tmp_path_factory.mktemp(NAME), two_hubs(github), **secrets) as deployment:
        deployment.put_list("wlist", "ada\nbob\norg:uvic\n", hub="astro")
        yield deployment


@pytest.fixture
def course(hubs: Deployment) -> str:
    return f"{hubs.url}/astro"


@pytest.fixture(scope="module")
def ada(hubs: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(hubs.url, hubs.authority, tmp_path_factory.mktemp("ada")) as opened:
        yield opened


def at(person: Browser, url: str) -> Browser:
    """The same person at another hub."""
    return Browser(url, person.driver)


def test_each_hub_has_its_own_title_menu_and_server(hubs: Deployment, ada: Browser, course: str) -> None:
    ada.sign_in_with_github("Ada")
    assert "The group" in ada.driver.title
    ada.choose("corehub")
    ada.wait_for_lab()
    student = at(ada, course)
    student.sign_in_with_github("Ada")
    assert "The course" in ada.driver.title
    assert "Stars" in ada.text
    assert "Corehub" not in ada.text
    student.choose("stars")
    student.wait_for_lab()
    student.new_notebook()
    student.run("open('mine', 'w').write('x'); print('cou' + 'rse')", expect="course")
    assert sorted(hubs.containers("user")) == sorted([STUDENT, "several-user-ada"])
    assert hubs.outputs()["callbackUrl-astro"] == f"{course}/hub/oauth_callback"


def test_homes_of_two_hubs_are_apart(hubs: Deployment) -> None:
    """Somebody of the same name at another sign-in may be another person."""
    assert (hubs.data / "cyberhub/astro/jupyterhub_users/ada/mine").exists()
    assert hubs.home("ada").is_dir()
    assert not (hubs.home("ada") / "mine").exists()


def test_a_full_hub_says_so_before_anything_is_chosen(hubs: Deployment, course: str, tmp_path: Path) -> None:
    with browser(course, hubs.authority, tmp_path) as bob:
        bob.sign_in_with_github("bob")
        bob.open("/hub/spawn")
        bob.until(lambda: "All places are taken: this hub runs 1 server at a time" in bob.text, "not told")
        bob.picture("full")


def test_status_tells_how_page_machine_containers_and_each_hub_are(hubs: Deployment) -> None:
    told = hubs.tool("status")
    lines = {line[2:].split("  ")[0]: line for line in told.stdout.splitlines() if line[:1] in " !"}
    assert "answers (200)" in lines["the page"]
    assert "Caddy Local Authority" in lines["certificate"]
    assert " of " in lines["disk, users' files"]
    assert " of " in lines["memory"]
    for container in (*hubs.containers("hub"), hubs.container("proxy"), hubs.container("fence")):
        assert "  running" in lines[container]
    hub, course = told.stdout.split("\nHub\n")[1].split("\nHub astro\n")
    assert "ada                         corehub " in hub
    assert "ada                         stars " in course
    assert "of 512 MB" in course
    # The course is full, which its administrator may want to change.
    assert "! servers                     1 of 1" in course
    assert told.returncode == 1
    assert "docs/running.md" in told.stderr


def test_a_member_of_an_organisation_gets_in_and_a_former_member_does_not(
    hubs: Deployment, github: Provider, course: str, tmp_path: Path
) -> None:
    with browser(course, hubs.authority, tmp_path) as carol:
        carol.sign_in_with_github("carol")
        carol.until(lambda: "carol" in carol.text and "/hub/" in carol.driver.current_url, "not in")
        carol.sign_out()
        github.accounts["carol"].orgs.clear()
        carol.sign_in_with_github("carol")
        carol.until(lambda: "carol is not on the list" in carol.text, "in though no member any more")


def test_one_hubs_admin_is_nobody_special_at_the_other(hubs: Deployment, course: str, tmp_path: Path) -> None:
    with browser(hubs.url, hubs.authority, tmp_path) as grace:
        grace.sign_in_with_github("grace")
        grace.open("/hub/admin")
        grace.until(lambda: "This page is not for you" in grace.text, "the admin page is shown")
        teacher = at(grace, course)
        teacher.sign_in_with_github("grace")
        teacher.open("/hub/admin")
        teacher.find("#start-all-servers, [data-testid], .admin-table-head")


def test_whoever_is_taken_off_one_hubs_list_is_out_there_and_stays_in_the_other(
    hubs: Deployment, ada: Browser, course: str
) -> None:
    begun = time.monotonic()
    hubs.put_list("wlist", "bob\norg:uvic\n", hub="astro")
    while STUDENT in hubs.containers("user"):
        assert time.monotonic() - begun < 30, hubs.trouble()
        time.sleep(0.1)
    took = time.monotonic() - begun
    assert took <= SOON_S, f"the server was gone after {took:.1f} s"
    student = at(ada, course)
    student.open("/hub/home")
    student.until(lambda: "/astro/hub/login" in ada.driver.current_url, "the session goes on")
    student.sign_in_with_github("Ada")
    student.until(lambda: "Ada is not on the list" in ada.text, "in though not listed any more")
    assert hubs.containers("user") == ["several-user-ada"]
    ada.open("/hub/home")
    ada.until(lambda: "The group" in ada.driver.title and "ada" in ada.text, "out of the other hub, too")


def test_a_user_whose_server_was_ended_learns_that_and_starts_another(hubs: Deployment, ada: Browser) -> None:
    docker("kill", "several-user-ada")
    ada.until(lambda: hubs.containers("user") == [], "the hub does not notice", within_s=10)
    ada.open("/user/ada/lab")
    ada.until(lambda: "Your server was killed from outside" in ada.text, "not told why", within_s=10)
    ada.picture("ended")
    ada.find("#start").click()
    ada.find("#spawn_form [type=submit]").click()
    ada.wait_for_lab()


def test_when_the_open_hours_end_strangers_are_out_and_those_listed_stay(
    hubs: Deployment, github: Provider, ada: Browser, tmp_path: Path
) -> None:
    until = datetime.now(UTC) + timedelta(seconds=45)
    hubs.set(two_hubs(github, mode="listed", openUntil=until.isoformat()))
    hubs.up()
    hubs.put_list("wlist", "bob\n")
    with browser(hubs.url, hubs.authority, tmp_path) as bob:
        bob.sign_in_with_github("bob")
        assert datetime.now(UTC) < until, "this machine is too slow for the test"
        assert hubs.containers("user") == ["several-user-ada"]
        while hubs.containers("user"):
            assert datetime.now(UTC) < until + timedelta(seconds=30), hubs.trouble()
            time.sleep(0.1)
        late_s = (datetime.now(UTC) - until).total_seconds()
        assert 0 <= late_s <= SOON_S
        ada.open("/hub/home")
        ada.until(lambda: "/hub/login" in ada.driver.current_url, "the stranger's session goes on")
        ada.sign_in_with_github("Ada")
        ada.until(lambda: "Ada is not on the list" in ada.text, "the stranger is let in")
        bob.open("/hub/home")
        bob.until(lambda: "bob" in bob.text and "/hub/home" in bob.driver.current_url, "bob is out")


def test_a_hub_that_is_taken_away_leaves_the_files_and_the_other_hubs_servers(
    hubs: Deployment, github: Provider, course: str, tmp_path: Path
) -> None:
    hubs.set(two_hubs(github))
    hubs.put_list("wlist", "")
    hubs.up()
    with browser(hubs.url, hubs.authority, tmp_path) as bob:
        for place, name in ((bob, "corehub"), (at(bob, course), "stars")):
            place.sign_in_with_github("bob")
            place.choose(name)
            place.wait_for_lab()
        kept = docker("inspect", "--format", "{{.Id}}", "several-user-bob")
        without = {name: part for name, part in two_hubs(github).items() if name != "hubs"}
        hubs.set({**without, "hubs": {}})
        hubs.up()
        assert docker("inspect", "--format", "{{.Id}}", "several-user-bob") == kept
        assert hubs.containers("user") == ["several-user-bob"]
        assert (hubs.data / "cyberhub/astro/jupyterhub_users/bob").is_dir()
        bob.open("/astro/hub/home")
        bob.until(lambda: "There is no such page" in bob.text, "something is still there")
        bob.picture("hub-taken-away")
