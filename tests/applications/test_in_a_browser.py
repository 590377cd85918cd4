"""Programs beside JupyterLab, opened from the menu by somebody with a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docker.conftest import deployed
from tests.support.browser import Browser, browser

SETTINGS = {
    "hub": {
        "auth": {"kind": "sharedPassword"},
        "menu": [
            {"name": "corehub", "title": "Corehub", "build": "corehub"},
            {
                "name": "code",
                "title": "VS Code",
                "build": "codehub",
                "memoryMb": 2048,
                "interfaces": [{"name": "vscode", "title": "VS Code", "path": "/vscode/"}],
                "interface": "vscode",
            },
            {
                "name": "desk",
                "title": "Desktop",
                "build": "deskhub",
                "interfaces": [{"name": "desktop", "title": "Linux desktop", "path": "/desktop/"}],
                "interface": "desktop",
            },
        ],
    }
}


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Somebody who is signed in."""
    folder = tmp_path_factory.mktemp("programs")
    with (
        deployed("programs", folder, SETTINGS) as hub,
        browser(hub.url, hub.authority, folder / "browser") as opened,
    ):
        opened.sign_in_with_password("ada", hub.outputs()["sharedPassword"])
        yield opened


def test_an_entrys_own_programs_are_offered_with_it_only(person: Browser) -> None:
    person.open("/hub/spawn")
    person.find("input[name=application][value=corehub]").click()
    assert not person.driver.find_element("css selector", "input[value=vscode]").is_displayed()
    person.find("input[name=application][value=code]").click()
    assert person.find("input[value=vscode]").is_displayed()


@pytest.mark.parametrize(
    ("entry", "interface", "sign"),
    [("code", "vscode", ".monaco-workbench .explorer-viewlet"), ("desk", "desktop", "canvas")],
    ids=["VS Code", "desktop"],
)
def test_a_program_opens_from_the_menu(entry: str, interface: str, sign: str, person: Browser) -> None:
    person.choose(entry, interface)
    person.find(sign)
    assert f"/user/ada/{interface}/" in person.driver.current_url
    person.picture(interface)
    person.open("/hub/home")
    person.find("#stop").click()
    person.until(
        lambda: not person.driver.find_elements("css selector", "#stop:not([style*=none])"), "it stops"
    )
