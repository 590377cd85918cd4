"""How people sign in to a hub, and who may: what an administrator says of it."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, HttpUrl, StringConstraints

from hubconfig.section import Section
from hubconfig.setting_types import HUB_RESTART, OTHER_IDS, OTHER_PEOPLE, Entries


class SharedPasswordAuth(Section):
    """Everybody signs in with a name of their choice and one shared password."""

    kind: Literal["sharedPassword"]


class GitHubAuth(Section):
    """Sign-in with GitHub. Needs the secrets oauthClientId and oauthClientSecret."""

    kind: Literal["github"]
    url: Annotated[HttpUrl, HUB_RESTART] = HttpUrl("https://github.com")
    """Where people sign in; another address for GitHub Enterprise."""
    api_url: Annotated[HttpUrl, HUB_RESTART] = HttpUrl("https://api.github.com")
    """Where the hub asks who somebody is."""


class GitLabAuth(Section):
    """Sign-in with GitLab. Needs the secrets oauthClientId and oauthClientSecret."""

    kind: Literal["gitlab"]
    url: Annotated[HttpUrl, HUB_RESTART] = HttpUrl("https://gitlab.com")
    """The GitLab to sign in with."""


class OidcAuth(Section):
    """Sign-in with any OAuth 2 / OpenID Connect provider. Needs oauthClientId and oauthClientSecret."""

    kind: Literal["oidc"]
    service: Annotated[str, HUB_RESTART] = "OpenID Connect"
    """The name on the sign-in button."""
    authorize_url: Annotated[HttpUrl, HUB_RESTART]
    """Where people sign in."""
    token_url: Annotated[HttpUrl, HUB_RESTART]
    """Where the hub exchanges the code it gets for a token."""
    userdata_url: Annotated[HttpUrl, HUB_RESTART]
    """Where the hub asks who somebody is."""
    username_claim: Annotated[str, OTHER_PEOPLE] = "preferred_username"
    """The claim that names a person for good; a claim people can change lets them take another's place. One
    inside another is written with dots: `ocs.data.id`."""
    id_claim: Annotated[str, OTHER_IDS] = "sub"
    """The claim with the id that never changes, by which a name stays its first owner's; dots as above."""
    scopes: Annotated[tuple[str, ...], HUB_RESTART] = ("openid", "profile", "email")
    """What the provider is asked to tell."""


class CILogonAuth(Section):
    """Sign-in with a university's account through CILogon. Needs oauthClientId and oauthClientSecret."""

    kind: Literal["cilogon"]
    identity_provider: Annotated[str, StringConstraints(pattern=r"^(https?://|urn:)\S+$"), HUB_RESTART]
    """The entity id of the one university or institute whose accounts may sign in."""
    username_claim: Annotated[str, OTHER_PEOPLE] = "eppn"
    """The claim that names a person for good."""


class GlobusAuth(Section):
    """Sign-in with Globus. Needs oauthClientId and oauthClientSecret."""

    kind: Literal["globus"]
    identity_provider: Annotated[str, HUB_RESTART] = ""
    """The domain whose identities are asked for; empty for any."""


Auth = Annotated[
    SharedPasswordAuth | GitHubAuth | GitLabAuth | OidcAuth | CILogonAuth | GlobusAuth,
    Field(discriminator="kind"),
]


_REWRITTEN: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)\d* ([+-]\d{2})(\d{2}) (\S+)"
)


def _time(value: object) -> object:
    """A time as Pulumi writes it anew where it stood without quotes in the stack file.

    Raises ValueError for `+0000 UTC`: a mere date and a time without a zone become that too.
    """
    found = _REWRITTEN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    date, clock, hours, minutes, zone = found.groups()
    if zone == "UTC":
        raise ValueError(
            "is a time for YAML, of which its zone may have got lost; write it in quotes and with its zone: "
            '"2026-11-30T18:00:00-08:00", or Z at its end for UTC'
        )
    return f"{date}T{clock}{hours}:{minutes}"


class Access(Section):
    """Who may sign in. The files wlist and blist on the data volume add to it and are read live."""

    mode: Annotated[Literal["auto", "open", "listed", "closed"], HUB_RESTART] = "auto"
    """`auto`: everybody while the allow list and wlist are empty, else only those listed; `open`: everybody;
    `listed`: only those listed, also when nobody is; `closed`: only admins. blist wins always."""
    allow: Annotated[Entries, HUB_RESTART] = ()
    """People (`name` or `name:id`), GitHub organisations (`org:NAME`) and teams (`team:ORG/TEAM`) let in."""
    open_until: Annotated[AwareDatetime | None, BeforeValidator(_time), HUB_RESTART] = None
    """Open to everybody until this time (with its zone), then as `mode` says."""
    keep_visitors: Annotated[bool, HUB_RESTART] = False
    """Write those who came before `openUntil` into wlist, so that they stay welcome."""
