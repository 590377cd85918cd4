"""A newcomer's first hour with the local stack, in order: each test goes on where the last stopped."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains

from hubconfig.names import safe_name
from tests.docker.conftest import deployed
from tests.support.browser import Browser, browser
from tests.support.deployment import Deployment, docker

SETTINGS = {
    "hub": {
        "title": "Test hub",
        "auth": {"kind": "sharedPassword"},
        "admins": ["admin"],
        "menu": [
            {
                "name": "corehub",
                "title": "Corehub",
                "description": "Python with the scientific stack, compilers, git and editors.",
                "build": "corehub",
            },
            {
                "name": "astrohub",
                "title": "Astrohub",
                "description": "Corehub with astronomy's libraries.",
                "build": "astrohub",
                "memoryMb": 2048,
            },
        ],
    }
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed("story", tmp_path_factory.mktemp("story"), SETTINGS) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def ada(hub: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(hub.url, hub.authority, tmp_path_factory.mktemp("ada")) as opened:
        yield opened


def test_the_address_that_up_prints_answers_with_a_certificate_of_the_hubs_authority(hub: Deployment) -> None:
    outputs = hub.outputs()
    assert outputs["url"] == hub.url
    context = ssl.create_default_context(cafile=str(hub.authority))
    with urllib.request.urlopen(f"{hub.url}/hub/health", context=context, timeout=10) as answer:
        assert answer.status == 200
    with (
        socket.create_connection(("localhost", hub.https_port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.version() in {"TLSv1.2", "TLSv1.3"}


def test_plain_http_leads_to_https(hub: Deployment) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(Stay).open(f"http://localhost:{hub.http_port}/hub/login", timeout=10)
    assert caught.value.code == 308
    assert caught.value.headers["Location"] == f"{hub.url}/hub/login"


def test_a_wrong_password_is_refused(ada: Browser) -> None:
    ada.sign_in_with_password("ada", "not the password")
    ada.until(lambda: "Invalid username or password" in ada.text, "the page does not say so")


def test_ada_signs_in_picks_from_the_menu_and_runs_a_cell(hub: Deployment, ada: Browser) -> None:
    ada.sign_in_with_password("ada", hub.outputs()["sharedPassword"])
    ada.until(lambda: "/hub/spawn" in ada.driver.current_url, "signing in does not lead to the menu")
    assert "Test hub" in ada.driver.title
    assert "Corehub with astronomy's libraries." in ada.text
    ada.choose("corehub")
    ada.wait_for_lab()
    ada.picture("lab")
    ada.new_notebook()
    ada.run("print('six times seven is', 6*7)", expect="six times seven is 42")
    ada.picture("cell")


def test_what_ada_saves_is_in_her_home_on_the_machine_and_hers_alone(hub: Deployment, ada: Browser) -> None:
    home = hub.home("ada")
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (1000, 0o700)
    ada.run("open('kept.txt', 'w').write('kept'); print('wr' + 'itten')", expect="written")
    assert (home / "kept.txt").read_text() == "kept"
    ada.save()
    ada.until(lambda: list(home.glob("Untitled*.ipynb")), "the notebook is not there")


def test_her_home_tells_where_things_are_and_shows_the_shared_folders(hub: Deployment) -> None:
    home = hub.home("ada")
    assert "shared-user" in (home / "Welcome.ipynb").read_text()
    assert docker("exec", "story-user-ada", "readlink", "-f", "/home/user/shared-user") == "/user"
    touch = docker("exec", "story-user-ada", "sh", "-c", "echo hers >~/shared-user/note && cat /user/note")
    assert touch == "hers"


def test_the_kernel_goes_on_when_the_hub_is_killed(hub: Deployment, ada: Browser) -> None:
    ada.run("answer = 41; print('no' + 'ted')", expect="noted")
    server = docker("inspect", "--format", "{{.Id}}", "story-user-ada")
    pid = int(docker("inspect", "--format", "{{.State.Pid}}", hub.container("hub")))
    os.kill(pid, signal.SIGKILL)
    ada.run("print('after the kill', answer + 1)", expect="after the kill 42")
    _wait_for_hub(hub)
    assert docker("inspect", "--format", "{{.Id}}", "story-user-ada") == server


def test_the_kernel_goes_on_when_the_hub_is_upgraded(hub: Deployment, ada: Browser) -> None:
    culling = {"idleMinutes": 60, "warnMinutes": 60}
    options = SETTINGS["hub"] | {"title": "Test hub, upgraded", "culling": culling}
    before = docker("inspect", "--format", "{{.Id}}", hub.container("hub"))
    hub.set({"hub": options})
    changed = hub.up()
    assert changed["replaced"] == 1, changed
    assert docker("inspect", "--format", "{{.Id}}", hub.container("hub")) != before
    ada.run("print('after the upgrade', answer + 1)", expect="after the upgrade 42")
    ada.picture("after-upgrade")
    ada.open("/hub/home")
    assert "Test hub, upgraded" in ada.driver.title, "Ada is still signed in"
    assert "Stop My Server" in ada.text, "the new hub knows her server"


def test_an_idle_server_is_announced_and_kept_at_a_click(ada: Browser) -> None:
    ada.open("/hub/home")
    ada.picture("server-stops")
    ada.find("#keep-server").click()
    ada.until(lambda: "will be stopped" not in ada.text, "the hub does not take it")


def test_a_message_of_the_administrator_is_on_every_page_at_once(hub: Deployment, ada: Browser) -> None:
    hub.put_list("announcement", "Maintenance on Friday, see https://example.org/plan")
    ada.open("/hub/home")
    assert "Maintenance on Friday" in ada.text
    hub.put_list("announcement", "")


def test_a_second_up_changes_nothing(hub: Deployment) -> None:
    begun = time.monotonic()
    changed = hub.up()
    assert set(changed) == {"unchanged"}, changed
    assert time.monotonic() - begun < 30, "an update of nothing takes seconds"


def test_an_administrator_sees_the_users(hub: Deployment, tmp_path: Path) -> None:
    with browser(hub.url, hub.authority, tmp_path) as admin:
        admin.sign_in_with_password("admin", hub.outputs()["adminPassword"])
        admin.open("/hub/admin")
        admin.until(lambda: "ada" in admin.text, "the page does not list Ada")
        admin.picture("admin")


def test_nobody_becomes_administrator_with_the_shared_password(hub: Deployment, tmp_path: Path) -> None:
    with browser(hub.url, hub.authority, tmp_path) as mallory:
        mallory.sign_in_with_password("admin", hub.outputs()["sharedPassword"])
        mallory.until(lambda: "Invalid username or password" in mallory.text, "the page does not say so")


def test_a_name_of_odd_characters_reaches_nothing_but_a_home_of_its_own(
    hub: Deployment, tmp_path: Path
) -> None:
    name = "../../Ada O'Neil <b>@uvic.ca"
    with browser(hub.url, hub.authority, tmp_path) as odd:
        odd.sign_in_with_password(name, hub.outputs()["sharedPassword"])
        odd.until(lambda: "/hub/spawn" in odd.driver.current_url, "not signed in")
        odd.choose("corehub")
        odd.wait_for_lab()
        odd.new_notebook()
        odd.run("print('odd', 'but fine')", expect="odd but fine")
    (home,) = [each for each in (hub.data / "jupyterhub_users").iterdir() if each.name != "ada"]
    assert home.name == safe_name(name)
    assert f"story-user-{home.name}" in hub.containers("user")


def test_a_file_outlives_hub_and_server(hub: Deployment, ada: Browser) -> None:
    removed = hub.destroy()
    assert removed["deleted"] > 5
    assert hub.containers() == []
    assert docker("network", "ls", "--filter", "label=cyberhubs.stack=story", "--format", "{{.Name}}") == ""
    assert docker("volume", "ls", "--quiet", "--filter", "label=cyberhubs.stack=story") == ""
    hub.up()
    ada.open("/hub/home")
    assert "Test hub, upgraded" in ada.driver.title, "Ada is still signed in: the cookie secret was kept"
    ada.choose("corehub", "notebook")
    ada.wait_for_notebook()
    ada.until(lambda: "kept.txt" in ada.text, "the file is not there")
    ada.picture("notebook")


def test_a_shared_folder_is_opened_and_saved_into_from_the_file_list(hub: Deployment, ada: Browser) -> None:
    ada.open("/user/ada/lab?reset")
    ada.wait_for_lab()
    folder = ada.find(".jp-DirListing-item[title*='shared-user']")
    ActionChains(ada.driver).double_click(folder).perform()
    ada.until(lambda: "note" in ada.text, "the folder is not opened")
    ada.new_notebook()
    ada.run("print('in the', 'open')", expect="in the open")
    ada.picture("shared-folder")
    ada.save()
    ada.until(lambda: list((hub.data / "user").glob("Untitled*.ipynb")), "it is not in the shared folder")


def test_ada_signs_out(ada: Browser) -> None:
    ada.sign_out()
    ada.until(
        lambda: "Successfully logged out" in ada.text or "/hub/login" in ada.driver.current_url, "not out"
    )
    ada.open("/hub/home")
    ada.until(lambda: "/hub/login" in ada.driver.current_url, "she is still in")


def _wait_for_hub(hub: Deployment) -> None:
    context = ssl.create_default_context(cafile=str(hub.authority))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{hub.url}/hub/health", context=context, timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the hub does not come back\n{hub.trouble()}")
