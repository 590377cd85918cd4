"""Each way to sign in, with the library's own class and a provider on loopback."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.crypto import CryptKeeper
from oauthenticator.oauth2 import _serialize_state
from traitlets.config import Config

from hubconfig.access import github as github_sign_in
from hubconfig.access.authenticators import Gated, SafeName
from hubconfig.access.gate import Folders
from hubconfig.access.lists import SETTLE_S
from hubconfig.access.refusals import NotLetInError
from hubconfig.access.rules import Person
from hubconfig.access.sign_in import SignIn, configure_authenticator
from hubconfig.names import safe_name
from hubconfig.options import HubOptions
from hubconfig.settings import HubSettings
from tests.hubconfig.provider import CLIENT_ID, CLIENT_SECRET, Provider, provider

PASSWORD = "the-shared-password"
ADMIN_PASSWORD = "the-password-that-only-admins-have-been-told"
IDP = "https://idp.example.org/shibboleth"

KINDS: dict[str, dict[str, str]] = {
    "sharedPassword": {},
    "github": {"url": "URL", "apiUrl": "URL"},
    "gitlab": {"url": "URL"},
    "oidc": {"authorizeUrl": "URL/login", "tokenUrl": "URL/token", "userdataUrl": "URL/userinfo"},
    "cilogon": {"identityProvider": IDP},
    "globus": {},
}


@pytest.fixture
def server() -> Iterator[Provider]:
    with provider() as running:
        yield running


class Hub:
    """A configured authenticator, and what a browser does with it."""

    def __init__(self, folder: Path, url: str, auth: Mapping[str, str], **options: Any) -> None:
        self.folder = folder
        for name in ("access", "state", "secrets"):
            (folder / name).mkdir(exist_ok=True)
        for name, value in {
            "oauth_client_id": CLIENT_ID,
            "oauth_client_secret": CLIENT_SECRET,
            "shared_password": PASSWORD,
            "admin_password": ADMIN_PASSWORD,
        }.items():
            (folder / "secrets" / name).write_text(f"{value}\n")
        given = {key: value.replace("URL", url) for key, value in auth.items()}
        self.config = Config()
        sign_in = configure(folder, self.config, auth=given, **options)
        self.gate, self.additions = sign_in.gate, sign_in.additions
        self.authenticator: Gated = self.config.JupyterHub.authenticator_class(config=self.config)
        self.authenticator.log = logging.getLogger("hub")
        if auth["kind"] in ("cilogon", "globus"):  # whose addresses no setting changes
            self.authenticator.token_url = f"{url}/token"
            self.authenticator.userdata_url = f"{url}/userinfo"

    def sign_in(self, code: str = "", **form: str) -> dict[str, Any] | None:
        """What JupyterHub makes of a browser that came back from the provider, or filled in the form."""
        browser = Browser(code)
        found: dict[str, Any] | None = asyncio.run(self.authenticator.get_authenticated_user(browser, form))
        return found

    def refresh(self, user: User, handler: Any = None) -> bool | dict[str, Any]:
        """What JupyterHub learns before it serves a page."""
        found: bool | dict[str, Any] = asyncio.run(self.authenticator.refresh_user(user, handler))
        return found


def configure(folder: Path, c: Config, **options: Any) -> SignIn:
    settings = HubSettings(
        name="hub", stack="test", options=HubOptions.model_validate(options), base_url="/a/", hub_host="hub",
        public_url="https://hub.org/a", network="n", user_prefix="p-", homes_dir="/h", space_dirs={},
        images={}, servers_max=1, images_kept=[], images_prefix="test/", machine_is_ours=False,
    )  # fmt: skip
    return configure_authenticator(
        settings,
        c,
        Folders(folder / "access", folder / "state"),
        folder / "secrets",
        logging.getLogger("hub"),
    )


class Browser:
    """As much of a request as the libraries look at."""

    class request:  # noqa: N801
        remote_ip = "192.0.2.1"

    def __init__(self, code: str) -> None:
        self.code = code

    def get_argument(self, name: str, default: str = "") -> str:
        return self.code if name == "code" else default

    def get_state_cookie(self) -> str:
        state: str = _serialize_state({"code_verifier": "v" * 43})
        return state


class User:
    """A user of JupyterHub."""

    kind = "user"

    def __init__(self, name: str, auth_state: dict[str, str] | None = None, *, admin: bool = False) -> None:
        self.name, self.admin, self._auth_state = name, admin, auth_state

    async def get_auth_state(self) -> dict[str, str] | None:
        return self._auth_state


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
    options = {"auth": {"kind": kind}, "admins": ["ada"]}
    Hub(tmp_path, "http://127.0.0.1:1", options["auth"], admins=["ada"])  # type: ignore[arg-type]
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


ORG = {"access": {"allow": ["org:UVic", "team:acme/stars"]}}


def github(folder: Path, server: Provider, **options: Any) -> Hub:
    return Hub(folder, server.url, {"kind": "github", **KINDS["github"]}, **options)


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


def failure(hub: Hub, code: str, caplog: pytest.LogCaptureFixture) -> tuple[NotLetInError, str]:
    """The page and the line of the log of a sign-in that fails."""
    caplog.clear()
    with pytest.raises(NotLetInError) as told:
        hub.sign_in(code)
    assert CLIENT_SECRET not in caplog.text
    assert CLIENT_SECRET not in told.value.jupyterhub_message
    lines = [message for message in caplog.messages if message.startswith("sign-in: failed")]
    assert len(lines) == 1
    return told.value, lines[0]


def test_wrong_credentials_of_the_hub_tell_the_administrator_which_to_set(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    hub = github(tmp_path, server)
    hub.authenticator.client_secret = "another"
    page, line = failure(hub, server.code_for("ada"), caplog)
    assert page.status_code == 503
    assert "only whoever runs it" in page.jupyterhub_message
    assert "oauthClientSecret" in line
    assert "https://hub.org/a/hub/oauth_callback" in line


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        ((401, {"error": "invalid_client"}), 503, "oauthClientSecret"),
        ((400, {"error": "invalid_grant"}), 400, "invalid_grant"),
        ((502, {}), 503, "GitHub answered 502"),
        ((200, ["?"]), 503, "no token"),
        ((200, {"error": "new\nkind"}), 503, r"the error new\nkind"),
        ((200, {"access_token": "t"}), 503, "KeyError"),
    ],
)
def test_what_a_provider_can_answer_becomes_a_page_and_one_line(
    tmp_path: Path,
    server: Provider,
    caplog: pytest.LogCaptureFixture,
    answer: tuple[int, Any],
    status: int,
    says: str,
) -> None:
    server.fault = answer
    page, line = failure(github(tmp_path, server), "code", caplog)
    assert page.status_code == status
    assert says in line


def test_a_code_used_twice_asks_to_try_again(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    page, _ = failure(github(tmp_path, server), "used", caplog)
    assert page.status_code == 400
    assert "try again" in page.jupyterhub_message


def test_a_provider_out_of_reach_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub(tmp_path, "http://127.0.0.1:1", {"kind": "github", **KINDS["github"]})
    page, line = failure(hub, "code", caplog)
    assert page.status_code == 503
    assert "GitHub does not answer" in page.heading
    assert "refused" in line.lower()


def test_a_connection_that_is_not_trusted_shows_this_machine_s_clock(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    hub = Hub(tmp_path, server.url.replace("http:", "https:"), {"kind": "github", **KINDS["github"]})
    _, line = failure(hub, "code", caplog)
    assert "clock says" in line


def test_a_clock_that_is_off_is_told_by_how_much(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    server.headers = {"Date": format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)}
    server.fault = (401, {"error": "invalid_client"})
    _, line = failure(github(tmp_path, server), "code", caplog)
    assert "behind the provider's: set it by NTP" in line


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


@pytest.mark.parametrize("claim", [False, "false", "False", 0, "0", "no", None, "", [], "unknown"])
def test_whatever_does_not_say_that_an_address_is_confirmed_is_a_no(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture, claim: object
) -> None:
    told = {"email": "ada@uvic.ca", "email_verified": claim}
    server.account("ada", 12, claims={"sub": "1", **told, "user": told})
    for name in ("email", "user.email"):
        hub = Hub(tmp_path, server.url, {"kind": "oidc", "usernameClaim": name, **KINDS["oidc"]})
        failure(hub, server.code_for("ada"), caplog)


@pytest.mark.parametrize("claim", [True, "true", "True", 1, "1", "yes"])
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


def test_only_admins_are_shown_what_is_wrong_with_the_lists(tmp_path: Path) -> None:
    (tmp_path / "access").mkdir()
    (tmp_path / "access" / "wlist").write_bytes(b"\xff")
    hub = Hub(tmp_path, "", {"kind": "github"})
    shown = hub.additions.template_vars["access_problems"]
    assert "not UTF-8" in shown(User("ada", admin=True))[0]
    assert shown(User("bob")) == []
    assert shown(None) == []


def test_what_is_known_of_people_is_plain_json(tmp_path: Path, server: Provider) -> None:
    server.account("Ada", 12, orgs=["uvic"])
    hub = github(tmp_path, server, **ORG)
    hub.sign_in(server.code_for("ada"))
    line = hub.gate.people.path.read_text()
    assert json.loads(line) == {"user": "ada", "name": "Ada", "id": "12", "orgs": ["uvic"]}
