"""Members of GitHub's organisations: who gets in, and for how long."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hubconfig.access import github as github_sign_in
from hubconfig.access.refusals import NotLetInError
from tests.hubconfig.provider import Provider, provider
from tests.hubconfig.signing_in import ORG, Hub, User, github


@pytest.mark.parametrize(("kind", "warns"), [("gitlab", True), ("github", False)])
def test_organisations_are_github_s_only(
    tmp_path: Path, kind: str, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    Hub(tmp_path, "http://127.0.0.1:1", {"kind": kind}, **ORG)
    assert ("they name nobody" in caplog.text) is warns


def test_members_of_an_organisation_or_team_get_in_and_others_do_not(
    tmp_path: Path, server: Provider
) -> None:
    server.page_size = 1
    server.account("ada", 12, orgs=["other", "UVIC"])
    server.account("bob", 13, teams=["other/x", "Acme/stars"])
    server.account("eve", 14, orgs=["other"])
    hub = github(tmp_path, server, **ORG)
    assert hub.sign_in(server.code_for("ada"))
    assert hub.sign_in(server.code_for("bob"))
    with pytest.raises(NotLetInError):
        hub.sign_in(server.code_for("eve"))


def test_the_token_is_kept_only_where_memberships_matter(tmp_path: Path, server: Provider) -> None:
    server.account("ada", 12, orgs=["uvic"])
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    plain = github(first, server).sign_in(server.code_for("ada"))
    assert plain
    assert plain["auth_state"] is None
    kept = github(second, server, **ORG).sign_in(server.code_for("ada"))
    assert kept
    assert kept["auth_state"].keys() == {"access_token"}


def signed_in(hub: Hub, server: Provider, login: str) -> User:
    found = hub.sign_in(server.code_for(login))
    assert found
    return User(found["name"], found["auth_state"])


@pytest.fixture
def _always_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_sign_in, "MEMBERSHIP_AGE_S", -1)


@pytest.mark.usefixtures("_always_stale")
def test_a_former_member_is_out_when_github_is_asked_again(tmp_path: Path, server: Provider) -> None:
    account = server.account("ada", 12, orgs=["uvic"])
    hub = github(tmp_path, server, **ORG)
    user = signed_in(hub, server, "ada")
    assert hub.refresh(user) is True
    account.orgs.clear()
    assert hub.refresh(user) is False
    assert not hub.gate.allows(hub.gate.person("ada"))


def test_memberships_are_not_asked_for_at_every_page(tmp_path: Path, server: Provider) -> None:
    account = server.account("ada", 12, orgs=["uvic"])
    hub = github(tmp_path, server, **ORG)
    user = signed_in(hub, server, "ada")
    account.orgs.clear()
    assert hub.refresh(user) is True


@pytest.mark.usefixtures("_always_stale")
def test_a_member_who_withdraws_the_hub_s_token_is_out(tmp_path: Path, server: Provider) -> None:
    server.account("ada", 12, orgs=["uvic"])
    hub = github(tmp_path, server, **ORG)
    user = signed_in(hub, server, "ada")
    server.tokens.clear()
    assert hub.refresh(user) is False


@pytest.mark.usefixtures("_always_stale")
@pytest.mark.parametrize("answer", [(502, {}), (403, {"message": "API rate limit exceeded"}), (200, "?")])
def test_github_s_bad_hour_puts_no_member_out(
    tmp_path: Path, server: Provider, answer: tuple[int, Any]
) -> None:
    server.account("ada", 12, orgs=["uvic"])
    hub = github(tmp_path, server, **ORG)
    user = signed_in(hub, server, "ada")
    server.fault = answer
    assert hub.refresh(user) is True


@pytest.mark.usefixtures("_always_stale")
def test_github_out_of_reach_puts_no_member_out(tmp_path: Path) -> None:
    with provider() as server:
        server.account("ada", 12, orgs=["uvic"])
        hub = github(tmp_path, server, **ORG)
        user = signed_in(hub, server, "ada")
    assert hub.refresh(user) is True


def test_what_is_known_of_people_is_plain_json(tmp_path: Path, server: Provider) -> None:
    server.account("Ada", 12, orgs=["uvic"])
    hub = github(tmp_path, server, **ORG)
    hub.sign_in(server.code_for("ada"))
    line = hub.gate.people.path.read_text()
    assert json.loads(line) == {"user": "ada", "name": "Ada", "id": "12", "orgs": ["uvic"]}
