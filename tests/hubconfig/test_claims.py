"""What a provider says of an account, and the name and id that are made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubconfig.access.authenticators import SafeName
from hubconfig.names import safe_name
from tests.hubconfig.provider import Provider
from tests.hubconfig.signing_in import KINDS, Hub, failure


@pytest.mark.parametrize("claims", [{"preferred_username": "ada"}, {"sub": ""}, {"sub": "1"}, {"sub": ["1"]}])
def test_an_answer_without_id_or_name_lets_nobody_in(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture, claims: dict[str, object]
) -> None:
    server.account("ada", 12, claims=claims)
    hub = Hub(tmp_path, server.url, {"kind": "oidc", **KINDS["oidc"]})
    page, _ = failure(hub, server.code_for("ada"), caplog)
    assert page.status_code == 503


def test_an_address_that_nobody_confirmed_is_no_name(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    account = server.account("ada", 12, claims={"sub": "1", "email": "ada@uvic.ca", "email_verified": False})
    hub = Hub(tmp_path, server.url, {"kind": "oidc", "usernameClaim": "email", **KINDS["oidc"]})
    failure(hub, server.code_for("ada"), caplog)
    account.claims["email_verified"] = True
    assert hub.sign_in(server.code_for("ada"))


@pytest.mark.parametrize(
    "claim", [False, "false", " FALSE ", 0, "0", "no", "off", None, "", [], {"a": True}, "unknown"]
)
def test_whatever_does_not_say_that_an_address_is_confirmed_is_a_no(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture, claim: object
) -> None:
    told = {"email": "ada@uvic.ca", "email_verified": claim}
    server.account("ada", 12, claims={"sub": "1", **told, "user": told})
    for name in ("email", "user.email"):
        hub = Hub(tmp_path, server.url, {"kind": "oidc", "usernameClaim": name, **KINDS["oidc"]})
        failure(hub, server.code_for("ada"), caplog)


@pytest.mark.parametrize("claim", [True, "true", " True ", 1, "1", "YES"])
def test_an_address_that_was_confirmed_in_other_words_is_a_name(
    tmp_path: Path, server: Provider, claim: object
) -> None:
    server.account("ada", 12, claims={"sub": "1", "email": "ada@uvic.ca", "email_verified": claim})
    hub = Hub(tmp_path, server.url, {"kind": "oidc", "usernameClaim": "email", **KINDS["oidc"]})
    assert hub.sign_in(server.code_for("ada"))


@pytest.mark.parametrize(
    ("claims", "name", "number"),
    [
        ({"ocs": {"data": {"id": "Ada", "uid": 7}}}, "Ada", "7"),
        ({"ocs": {"data": {"id": 42, "uid": "7"}}}, "42", "7"),
        ({"ocs.data.id": "ada", "ocs": {"data": {"uid": 0}}}, "ada", "0"),
    ],
)
def test_claims_may_be_inside_others_and_names_may_be_numbers(
    tmp_path: Path, server: Provider, claims: dict[str, object], name: str, number: str
) -> None:
    server.account("ada", 12, claims=claims)
    nested = {"usernameClaim": "ocs.data.id", "idClaim": "ocs.data.uid"}
    hub = Hub(tmp_path, server.url, {"kind": "oidc", **nested, **KINDS["oidc"]})
    assert hub.sign_in(server.code_for("ada"))
    known = hub.gate.people.get(safe_name(name))
    assert known
    assert (known.name, known.id) == (name, number)


@pytest.mark.parametrize("answer", [{"ocs": []}, {"ocs": {"data": {"id": True}}}, {"ocs": {"data": None}}])
def test_a_nested_claim_that_is_not_there_lets_nobody_in(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture, answer: dict[str, object]
) -> None:
    server.account("ada", 12, claims={"sub": "1", **answer})
    auth = {"kind": "oidc", "usernameClaim": "ocs.data.id", **KINDS["oidc"]}
    page, _ = failure(Hub(tmp_path, server.url, auth), server.code_for("ada"), caplog)
    assert page.status_code == 503


def test_another_institute_s_account_is_refused(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    server.account(
        "ada",
        12,
        claims={"sub": "1", "idp": "https://elsewhere", "eppn": "ada@x", "preferred_username": "ada@x"},
    )
    for auth in ({"kind": "cilogon", **KINDS["cilogon"]}, {"kind": "globus", "identityProvider": "uvic.ca"}):
        page, _ = failure(Hub(tmp_path, server.url, auth), server.code_for("ada"), caplog)
        assert page.status_code == 403


def test_people_of_two_institutes_never_share_a_name(tmp_path: Path, server: Provider) -> None:
    server.account("ada", 1, claims={"sub": "1", "preferred_username": "ada@uvic.ca"})
    server.account("eve", 2, claims={"sub": "2", "preferred_username": "ada@evil.org"})
    hub = Hub(tmp_path, server.url, {"kind": "globus"})
    names = [(hub.sign_in(server.code_for(login)) or {})["name"] for login in ("ada", "eve")]
    assert len(set(names)) == 2


def test_two_providers_accounts_that_look_alike_are_two(tmp_path: Path, server: Provider) -> None:
    hub = Hub(tmp_path, server.url, {"kind": "oidc", **KINDS["oidc"]})
    names = set()
    for number, name in enumerate(["sam", "\u017fam", "s\u0430m", safe_name("\u017fam")]):
        server.account("x", 1, claims={"sub": str(number), "preferred_username": name})
        names.add((hub.sign_in(server.code_for("x")) or {})["name"])
    assert len(names) == 4


def test_a_name_made_safe_is_not_made_safe_again(tmp_path: Path) -> None:
    one = Hub(tmp_path, "http://127.0.0.1:1", {"kind": "github"}).authenticator
    safe = one.normalize_username("ada@uvic.ca")
    assert one.normalize_username(safe) == safe
    assert one.normalize_username(str(safe)) != safe
    assert isinstance(safe, SafeName)
