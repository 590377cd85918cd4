"""Each way to sign in, with the library's own class and a provider on loopback."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.crypto import CryptKeeper
from traitlets.config import Config

from hubconfig.access.lists import SETTLE_S
from hubconfig.access.refusals import NotLetInError
from hubconfig.access.rules import Person
from hubconfig.names import safe_name
from tests.hubconfig.provider import Provider
from tests.hubconfig.signing_in import ADMIN_PASSWORD, IDP, KINDS, Hub, User, configure


@pytest.mark.parametrize("kind", KINDS)
def test_every_trait_that_is_set_exists(tmp_path: Path, kind: str) -> None:
    hub = Hub(tmp_path, "http://127.0.0.1:1", {"kind": kind, **KINDS[kind]}, admins=["ada"])
    classes = {"JupyterHub": JupyterHub, "CryptKeeper": CryptKeeper}
    classes[type(hub.authenticator).__name__] = type(hub.authenticator)
    for section, traits in hub.config.items():
        known = classes[section].class_traits(config=True)
        for name, value in traits.items():
            assert name in known, f"{section}.{name}"
            if section not in ("JupyterHub", "CryptKeeper") and name != "idps":  # to which CILogon adds
                assert getattr(hub.authenticator, name) == value, name


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_the_gate_lets_anybody_in(tmp_path: Path, kind: str) -> None:
    one = Hub(tmp_path, "http://127.0.0.1:1", {"kind": kind, **KINDS[kind]}).authenticator
    assert (one.allow_all, one.allow_existing_users, one.allowed_users) == (False, False, set())
    assert (one.auth_refresh_age, one.refresh_pre_spawn) == (1, True)
    assert getattr(one, "auth_refresh_strict", True) is True


def test_the_callback_url_is_the_hub_s_own(tmp_path: Path) -> None:
    hub = Hub(tmp_path, "http://127.0.0.1:1", {"kind": "github"})
    assert hub.authenticator.get_callback_url() == "https://hub.org/a/hub/oauth_callback"


def test_the_key_for_tokens_is_made_once_and_for_the_hub_alone(tmp_path: Path) -> None:
    first = Hub(tmp_path, "http://127.0.0.1:1", {"kind": "github"}).config.CryptKeeper["keys"]
    again = Hub(tmp_path, "http://127.0.0.1:1", {"kind": "github"}).config.CryptKeeper["keys"]
    assert first == again
    assert len(bytes.fromhex(first[0])) == 32
    assert (tmp_path / "state" / "crypt_key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("kind", "file", "text", "says"),
    [
        ("github", "oauth_client_id", None, "oauth_client_id cannot be read"),
        ("gitlab", "oauth_client_secret", " \n", "oauth_client_secret is empty"),
        ("sharedPassword", "shared_password", "short", "has 5 characters; it must have at least 8"),
        ("sharedPassword", "shared_password", "pässwörter", "beyond ASCII"),
        ("sharedPassword", "admin_password", "a-password-of-some", "it must have at least 32"),
        ("sharedPassword", "admin_password", None, "admin_password cannot be read"),
        ("sharedPassword", "shared_password", ADMIN_PASSWORD, "are the same"),
    ],
)
def test_a_secret_that_will_not_do_is_named_and_not_told(
    tmp_path: Path, kind: str, file: str, text: str | None, says: str
) -> None:
    options: dict[str, Any] = {"auth": {"kind": kind}, "admins": ["ada"]}
    Hub(tmp_path, "http://127.0.0.1:1", **options)
    path = tmp_path / "secrets" / file
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=says) as told:
        configure(tmp_path, Config(), **options)
    assert not text or not text.strip() or text not in str(told.value)


CLAIMS: dict[str, tuple[dict[str, object], str, str]] = {
    "github": ({}, "Ada", "12"),
    "gitlab": ({}, "Ada", "12"),
    "oidc": ({"sub": "s-1", "preferred_username": "Ada L"}, "Ada L", "s-1"),
    "cilogon": (
        {"sub": "http://cilogon.org/1", "idp": IDP, "eppn": "ada@uvic.ca"},
        "ada@uvic.ca",
        "http://cilogon.org/1",
    ),
    "globus": ({"sub": "uu-1", "preferred_username": "ada@uvic.ca"}, "ada@uvic.ca", "uu-1"),
}


@pytest.mark.parametrize("kind", CLAIMS)
def test_a_sign_in_names_the_person_and_the_lasting_id(tmp_path: Path, server: Provider, kind: str) -> None:
    claims, name, number = CLAIMS[kind]
    server.account("Ada", 12, claims=claims)
    hub = Hub(tmp_path, server.url, {"kind": kind, **KINDS[kind]}, admins=["nobody"])
    found = hub.sign_in(server.code_for("Ada"))
    assert found
    assert found["name"] == safe_name(name)
    assert found["admin"] is False
    known = hub.gate.people.get(safe_name(name))
    assert known
    assert (known.name, known.id) == (name, number)


@pytest.mark.parametrize("kind", CLAIMS)
def test_the_black_list_holds_for_every_way_to_sign_in(tmp_path: Path, server: Provider, kind: str) -> None:
    claims, name, _ = CLAIMS[kind]
    server.account("Ada", 12, claims=claims)
    (tmp_path / "access").mkdir()
    word = name if " " not in name else safe_name(name)
    (tmp_path / "access" / "blist").write_text(f"{word.upper()}\n")
    hub = Hub(tmp_path, server.url, {"kind": kind, **KINDS[kind]}, admins=[word])
    with pytest.raises(NotLetInError) as told:
        hub.sign_in(server.code_for("Ada"))
    assert told.value.status_code == 403
    assert "blocked" in told.value.heading


def test_an_admin_is_told_by_name_and_id(tmp_path: Path, server: Provider) -> None:
    hub = Hub(tmp_path, server.url, {"kind": "github", **KINDS["github"]}, admins=["ada:12", "bob:1"])
    server.account("Ada", 12)
    server.account("bob", 13)
    ada, bob = hub.sign_in(server.code_for("ada")), hub.sign_in(server.code_for("bob"))
    assert ada
    assert bob
    assert (ada["admin"], bob["admin"]) == (True, False)


def test_whoever_is_no_longer_an_admin_loses_it_at_the_next_page(tmp_path: Path) -> None:
    hub = Hub(tmp_path, "http://127.0.0.1:1", {"kind": "github"})
    hub.gate.people.remember(Person("ada", "12"))
    assert hub.refresh(User("ada", admin=True)) == {"name": "ada", "admin": False}
    assert hub.refresh(User("ada")) is True


def test_whoever_is_off_the_list_is_asked_to_sign_in_again(tmp_path: Path) -> None:
    hub = Hub(tmp_path, "http://127.0.0.1:1", {"kind": "github"}, access={"mode": "listed"})
    hub.gate.people.remember(Person("ada", "12"))
    assert hub.refresh(User("ada")) is False


def test_an_account_of_which_nothing_is_known_signs_in_again_but_an_admin_may_act_for_it(
    tmp_path: Path,
) -> None:
    hub = Hub(tmp_path, "http://127.0.0.1:1", {"kind": "github"})
    user, admin = User("ada"), User("root")

    class ByAda:
        _jupyterhub_user = user

    class ByAdmin:
        _jupyterhub_user = admin

    assert hub.refresh(user, ByAda()) is False
    assert hub.refresh(user, ByAdmin()) is True
    (tmp_path / "access" / "blist").write_text("ada")
    time.sleep(SETTLE_S + 0.05)
    hub.gate.rules  # noqa: B018 - looks at the file
    with pytest.raises(NotLetInError):
        hub.refresh(user, ByAdmin())


def test_only_admins_are_shown_what_is_wrong_with_the_lists(tmp_path: Path) -> None:
    (tmp_path / "access").mkdir()
    (tmp_path / "access" / "wlist").write_bytes(b"\xff")
    hub = Hub(tmp_path, "", {"kind": "github"})
    shown = hub.additions.template_vars["access_problems"]
    assert "not UTF-8" in shown(User("ada", admin=True))[0]
    assert shown(User("bob")) == []
    assert shown(None) == []
