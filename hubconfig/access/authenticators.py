"""Sign-in: the libraries' authenticators, with the hub's gate as the only judge of who gets in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlencode

from jupyterhub.auth import Authenticator
from oauthenticator.cilogon import CILogonOAuthenticator
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.gitlab import GitLabOAuthenticator
from oauthenticator.globus import GlobusOAuthenticator
from oauthenticator.oauth2 import OAuthCallbackHandler
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.web import HTTPError, RequestHandler
from traitlets import Unicode, default

from hubconfig.access.gate import Gate
from hubconfig.access.refusals import (
    SignInError,
    lost_state,
    refusal,
    refused_by_provider,
    trouble,
)
from hubconfig.access.rules import Decision, Person
from hubconfig.names import safe_name

if TYPE_CHECKING:
    from jupyterhub.user import User

AuthModel = dict[str, Any]

_FAILURES = (
    *(SignInError, HTTPError, HTTPClientError, OSError),
    *(ValueError, TypeError, KeyError, AttributeError),  # an answer that is not what was asked for
)


class SafeName(str):
    """A user name that `safe_name` has made: making it anew would change it."""

    __slots__ = ()


class Gated(Authenticator):
    """An authenticator that knows who somebody is, and leaves it to the gate whether that is enough."""

    gate: ClassVar[Gate]
    has_ids: ClassVar[bool] = True
    """Whether the provider tells an unchanging id besides the name."""

    @classmethod
    def behind(cls, gate: Gate) -> type[Self]:
        """This authenticator for one hub."""
        return type(cls.__name__, (cls,), {"gate": gate})

    def normalize_username(self, username: str) -> SafeName:
        """The name that user, container and home folder have. Raises ValueError for an empty one."""
        return username if isinstance(username, SafeName) else SafeName(safe_name(username))

    def check_blocked_users(
        self,
        username: str,  # noqa: ARG002 - JupyterHub's signature
        authentication: AuthModel | None = None,  # noqa: ARG002 - as above
    ) -> bool:
        """Nothing here: the gate decides, as a whole, in check_allowed."""
        return True

    async def check_allowed(
        self,
        username: str,  # noqa: ARG002 - the gate goes by the person, not by JupyterHub's form of the name
        authentication: AuthModel | None = None,
    ) -> bool:
        """Ask the gate about somebody who has just signed in.

        Raises HTTPError with a page that says why not.
        """
        if authentication is None:
            return False
        person = self.gate.people.arriving(authentication["person"])
        decision = self.gate.arrive(person)
        if not decision.allowed:
            raise refusal(person, decision)
        # Said outright: with None, JupyterHub would leave a former admin what the database remembers.
        authentication["admin"] = decision.admin
        return True

    async def refresh_user(
        self, user: User, handler: RequestHandler | None = None, **_: object
    ) -> bool | AuthModel:
        """Whether somebody who is signed in may stay so; asked at most once a second for each user.

        Raises HTTPError with the reason when somebody else, such as an admin, acts for the user.
        """
        own = _is_own_request(user, handler)
        person = self.gate.people.get(user.name)
        if person is None:
            if self.has_ids and own:
                self.log.info("access: %s is to sign in again: nothing is known of the account", user.name)
                return False
            person = Person(user.name)
        decision = await self.current(user, person)
        if not decision.allowed:
            if own:
                return False
            # JupyterHub 6.1 fails over a plain False here.
            raise refusal(person, decision)
        return True if bool(user.admin) == decision.admin else {"name": user.name, "admin": decision.admin}

    async def current(
        self,
        user: User,  # noqa: ARG002 - whoever asks the provider anew needs the user's token
        person: Person,
    ) -> Decision:
        """The decision about somebody who has signed in before."""
        return self.gate.decide(person)


class _Callback(OAuthCallbackHandler):
    """Where the browser comes back to from the provider."""

    def check_arguments(self) -> None:
        """Look at what the provider sent. Raises a page in plain words."""
        error = self.get_argument("error", "")
        if error:
            url = self.authenticator.get_callback_url(self)
            raise self.authenticator.failed(
                refused_by_provider(self.authenticator.login_service, error, url), self
            )
        try:
            super().check_arguments()
        except HTTPError as fault:
            raise self.authenticator.failed(lost_state(self.authenticator.login_service), self) from fault


class Provided(Gated):
    """What the OAuth sign-ins have in common."""

    callback_handler = _Callback
    id_claim = "sub"
    """Where the provider's answer has the id that never changes."""

    @default("http_client")
    def _own_http_client(self) -> AsyncHTTPClient:
        # By default all of the hub shares ten connections; one slow provider would hold up everything.
        return AsyncHTTPClient(force_instance=True, max_clients=100)

    async def authenticate(
        self, handler: RequestHandler, data: Mapping[str, str] | None = None, **kwargs: object
    ) -> AuthModel | None:
        """Ask the provider who it is. Raises a page in plain words when that fails."""
        try:
            model: AuthModel | None = await super().authenticate(handler, data, **kwargs)
        except _FAILURES as error:
            url = self.get_callback_url(handler)
            raise self.failed(trouble(self.login_service, error, url), handler) from error
        return model

    def failed(self, error: SignInError, handler: RequestHandler) -> HTTPError:
        """Write down a sign-in that failed, and give the page that the user sees."""
        say = self.log.error if error.ours else self.log.warning
        say("sign-in: failed from %s: %s", handler.request.remote_ip, error.cause)
        return error.page

    async def get_token_info(self, handler: RequestHandler, params: Mapping[str, str]) -> AuthModel:
        """The provider's token for a code. Raises SignInError when it refuses."""
        found = await self.httpfetch(
            self.token_url,
            "asking for a token",
            method="POST",
            headers=self.build_token_info_request_headers(),
            body=urlencode(params).encode(),
            validate_cert=self.validate_server_cert,
        )
        if not isinstance(found, dict) or "access_token" not in found:
            error = found.get("error") if isinstance(found, dict) else None
            raise refused_by_provider(
                self.login_service, str(error or "none, and no token"), self.get_callback_url(handler)
            )
        return found

    async def update_auth_model(self, auth_model: AuthModel) -> AuthModel:
        """Add who it is, as the gate wants to know it."""
        auth_model = await super().update_auth_model(auth_model)
        info = auth_model["auth_state"][self.user_auth_state_key]
        return auth_model | {"person": await self.describe(info, auth_model["auth_state"]["token_response"])}

    async def describe(
        self,
        info: Mapping[str, Any],
        token: Mapping[str, Any],  # noqa: ARG002 - for providers that are asked for more
    ) -> Person:
        """The person in a provider's answer. Raises ValueError when it holds no id or no proper name."""
        found, name = claim(info, self.id_claim), self.user_info_to_username(info)
        if found is None or isinstance(found, (dict, list, bool)) or not str(found):
            raise ValueError(f"the answer holds no {self.id_claim!r}")
        (name + str(found)).encode()  # JSON can hold half a letter, which no file and no database can
        return Person(name, str(found))


class GitLab(Provided, GitLabOAuthenticator):
    """Sign-in with GitLab."""

    id_claim = "id"


class Oidc(Provided, GenericOAuthenticator):
    """Sign-in with any OpenID Connect provider."""

    id_claim = Unicode("sub", help="Where the provider's answer has the id that never changes.", config=True)

    async def describe(self, info: Mapping[str, Any], token: Mapping[str, Any]) -> Person:
        """The person, unless named by an address that nobody has confirmed."""
        inside, _, last = self.username_claim.rpartition(".")
        if last == "email":
            verified = claim(info, f"{inside}.email_verified" if inside else "email_verified", True)
            if not _is_yes(verified):
                raise ValueError("the provider has not verified this person's email address")
        return await super().describe(info, token)

    def user_info_to_username(self, user_info: Mapping[str, Any]) -> str:
        """The name, also one that is a number. Raises ValueError when the answer holds none."""
        found = claim(user_info, self.username_claim)
        if isinstance(found, bool) or not isinstance(found, (str, int)) or not str(found).strip():
            raise ValueError(f"the answer holds no {self.username_claim!r} that could be a name")
        return str(found)


class CILogon(Provided, CILogonOAuthenticator):
    """Sign-in with a university's account."""


class Globus(Provided, GlobusOAuthenticator):
    """Sign-in with Globus."""

    async def update_auth_model(self, auth_model: AuthModel) -> AuthModel:
        """Keep out other institutions' accounts, where one is asked for."""
        # By its class: Gated comes first, whose answer leaves it to the gate, and the gate knows no domains.
        await GlobusOAuthenticator.check_blocked_users(self, auth_model["name"], auth_model)
        return await super().update_auth_model(auth_model)

    def user_info_to_username(self, user_info: Mapping[str, Any]) -> str:
        """The name before the `@` where all have the same after it; else all of it."""
        name = str(user_info[self.username_claim])
        return name.partition("@")[0] if self.identity_provider else name


def claim(info: Mapping[str, Any], name: str, otherwise: object = None) -> object:
    """A claim of a provider's answer: of this very name, or inside others where the name has dots."""
    if name in info:
        return info[name]
    found: object = info
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return otherwise
        found = found[part]
    return found


def _is_yes(value: object) -> bool:
    """Whether a claim says yes; some providers send texts or numbers where the standard has booleans."""
    return str(value).strip().lower() in {"true", "1", "yes"}


def _is_own_request(user: User, handler: RequestHandler | None) -> bool:
    """Whether a user asks for themselves; JupyterHub before 6.1 has not yet noted who asks."""
    asking = getattr(handler, "_jupyterhub_user", None)
    return asking is None or (asking.kind == "user" and asking.name == user.name)
