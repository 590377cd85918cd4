"""What is on whose menu, and that nothing else can be started."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hubconfig.options import Application, Interface, Limits
from hubconfig.servers.menu import Menu, options_from_form
from hubconfig.servers.not_started import NotStartedError

CORE = Application(name="core", title="Core", description="For <b>everybody</b>", build="corehub")
ADMINS = Application(name="secret", title="Secret", build="corehub", who=("admins",))
NOTEBOOK = Application(name="old", title="Old", build="corehub", interface="notebook", memory_mb=4096)


def may_see(user: str, _: Collection[str]) -> bool:
    return user == "admin"


def menu(*entries: Application) -> Menu:
    return Menu(entries or (CORE, ADMINS, NOTEBOOK), Limits(), may_see)


def test_people_see_what_is_for_them() -> None:
    assert [entry.name for entry in menu().of("ada")] == ["core", "old"]
    assert [entry.name for entry in menu().of("admin")] == ["core", "secret", "old"]


@given(st.dictionaries(st.sampled_from(["application", "interface", "image"]), st.text()))
def test_whatever_is_asked_only_an_entry_of_the_menu_starts(options: dict[str, str]) -> None:
    try:
        choice = menu().choose("ada", options)
    except NotStartedError:
        return
    assert choice.application in (CORE, NOTEBOOK)
    assert "image" not in choice.as_options()


def test_what_is_for_others_cannot_be_started() -> None:
    with pytest.raises(NotStartedError, match="not on your menu"):
        menu().choose("ada", {"application": "secret"})
    assert menu().choose("admin", {"application": "secret"}).application is ADMINS


def test_without_a_choice_the_default_starts_else_the_first() -> None:
    preferred = Application(name="best", title="Best", build="corehub", default=True)
    assert menu().choose("ada", {}).application is CORE
    assert menu(CORE, preferred).choose("ada", {}).application is preferred


def test_the_interface_is_the_entrys_own_unless_chosen() -> None:
    assert menu().choose("ada", {"application": "old"}).interface.name == "notebook"
    assert menu().choose("ada", {"application": "old", "interface": "lab"}).interface.name == "lab"


DESKTOP = Application(
    name="desk",
    title="Desk",
    build="deskhub",
    interfaces=(Interface(name="desktop", title="Desktop", path="/desktop/"),),
    interface="desktop",
)


def test_an_entry_may_offer_a_program_beside_lab_and_notebook() -> None:
    chosen = menu(CORE, DESKTOP).choose("ada", {"application": "desk"})
    assert chosen.interface.path == "/desktop/"
    assert chosen.as_options() == {"application": "desk", "interface": "desktop"}
    assert (
        menu(CORE, DESKTOP).choose("ada", {"application": "desk", "interface": "lab"}).interface.path
        == "/lab"
    )
    form = menu(CORE, DESKTOP).form("ada", chosen.as_options())
    assert "checked" in form[form.index('value="desktop"') :].split(">")[0]


def test_another_entrys_program_is_not_started_in_one_that_lacks_it() -> None:
    asked = {"application": "core", "interface": "desktop"}
    assert menu(CORE, DESKTOP).choose("ada", asked).interface.name == "lab"
    with pytest.raises(NotStartedError, match="Core has no such interface"):
        menu(CORE).choose("ada", asked)
    for odd in (["lab"], {"lab": 1}, 7, None):
        with pytest.raises(NotStartedError, match="no such interface"):
            menu(CORE).choose("ada", {"application": "core", "interface": odd})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"interface": "vscode"}, "vscode is none of lab, notebook; choose one"),
        ({"interfaces": [{"name": "lab", "title": "L", "path": "/l/"}]}, "lab is there twice"),
        ({"interfaces": [{"name": "x", "title": "X", "path": "/a/../../hub/"}]}, "leads out of the server"),
        ({"interfaces": [{"name": "x", "title": "X", "path": "https://elsewhere.example"}]}, "pattern"),
        ({"interfaces": [{"name": "x", "title": "X", "path": "//elsewhere.example"}]}, "pattern"),
    ],
    ids=["not there", "twice", "out of the server", "elsewhere", "elsewhere without scheme"],
)
def test_an_interface_is_one_of_the_servers_own_pages(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Application.model_validate({"name": "core", "title": "Core", "build": "corehub", **wrong})


def test_the_form_shows_the_last_choice_and_no_html_of_others() -> None:
    form = menu().form("ada", {"application": "old", "interface": "lab"})
    assert "For &lt;b&gt;everybody&lt;/b&gt;" in form
    chosen = form[form.index('value="old"') :].split(">")[0]
    assert "checked" in chosen
    assert "4 GB memory" in form
    assert "Secret" not in form


def test_a_choice_that_left_the_menu_does_not_break_the_form() -> None:
    assert 'value="core"' in menu().form("ada", {"application": "gone"})
    assert "no application hub" in menu(ADMINS).form("ada", {})


def test_the_forms_fields_are_read() -> None:
    fields = {"application": ["core"], "interface": ["lab"], "image": ["evil"], "_xsrf": ["x"]}
    assert options_from_form(fields) == {"application": "core", "interface": "lab"}
