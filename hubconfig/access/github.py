"""Sign-in with GitHub, whose organisations and teams a list may name."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oauthenticator.github import GitHubOAuthenticator
from oauthenticator.oauth2 import OAuthLoginHandler
from tornado.httpclient import HTTPClientError

from hubconfig.access.authenticators import AuthModel, Provided
from hubconfig.access.rules import Decision, Person, shown

if TYPE_CHECKING:
    from jupyterhub.user import User

MEMBERSHIP_AGE_S = 300
"""How old the knowledge of organisations and teams may be that somebody is let in by."""


class _GitHubLogin(OAuthLoginHandler):
    def get(self) -> None:
        # Lists change while the hub runs; leave to see memberships is asked for only when one needs it.
        self.authenticator.scope = ["read:org"] if self.authenticator.gate.wants_groups else []
        super().get()


class GitHub(Provided, GitHubOAuthenticator):
    """Sign-in with GitHub, whose organisations and teams a list may name."""

    login_handler = _GitHubLogin
    id_claim = "id"

    def __init__(self, **kwargs: object) -> None:
        """Begin with no knowledge of when memberships were asked for."""
        super().__init__(**kwargs)
        self._asked_at: dict[str, float] = {}

    async def update_auth_model(self, auth_model: AuthModel) -> AuthModel:
        """Keep of GitHub's answer only the token, and that only where memberships must be asked again."""
        auth_model = await super().update_auth_model(auth_model)
        token = auth_model["auth_state"]["token_response"]["access_token"]
        auth_model["auth_state"] = {"access_token": token} if self.gate.wants_groups else None
        return auth_model

    async def describe(self, info: Mapping[str, Any], token: Mapping[str, Any]) -> Person:
        """The person with organisations and teams, if these matter."""
        person = await super().describe(info, token)
        return await self._with_groups(person, token["access_token"]) if self.gate.wants_groups else person

    async def current(self, user: User, person: Person) -> Decision:
        """The decision; one that hangs on a membership goes by what GitHub says of it now."""
        decision = await super().current(user, person)
        if decision.by_group and self._is_stale(person):
            return await self.ask_again(user, person)
        return decision

    async def ask_again(self, user: User, person: Person) -> Decision:
        """Ask GitHub for somebody's memberships and decide anew.

        A token that GitHub no longer takes ends the memberships it was to show: whoever is taken out of
        an organisation could else keep them by withdrawing it. When GitHub does not answer, or not
        now, the last answer goes on to hold.
        """
        self._asked_at[person.user] = time.monotonic()
        kept = await user.get_auth_state() or {}
        try:
            now = await self._with_groups(person, kept.get("access_token", ""))
        except HTTPClientError as error:
            if error.code != 401:
                self._say_unasked(person, error)
                return self.gate.decide(person)
            self.log.warning("access: GitHub no longer takes the token of %s", shown(person.name))
            now = replace(person, orgs=frozenset(), teams=frozenset())
        except (OSError, ValueError, TypeError, KeyError) as error:
            self._say_unasked(person, error)
            return self.gate.decide(person)
        self.gate.people.remember(now)
        return self.gate.decide(now)

    def _is_stale(self, person: Person) -> bool:
        asked_at = self._asked_at.get(person.user)
        return asked_at is None or time.monotonic() - asked_at > MEMBERSHIP_AGE_S

    def _say_unasked(self, person: Person, error: Exception) -> None:
        self.log.warning(
            "access: memberships of %s could not be asked for and stay as they were: %s",
            shown(person.name),
            shown(str(error)),
        )

    async def _with_groups(self, person: Person, token: str) -> Person:
        self._asked_at[person.user] = time.monotonic()
        orgs = await self._paginated_fetch(f"{self.github_api}/user/orgs?per_page=100", token, "Bearer")
        teams = await self._paginated_fetch(f"{self.github_api}/user/teams?per_page=100", token, "Bearer")
        return replace(
            person,
            orgs=frozenset(org["login"].lower() for org in orgs),
            teams=frozenset(f"{team['organization']['login']}/{team['slug']}".lower() for team in teams),
        )
