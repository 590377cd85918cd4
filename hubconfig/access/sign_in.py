"""From the settings to JupyterHub's configuration: who signs in how, and behind which gate."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

from traitlets.config import Config

from hubconfig.access.audit import Audit
from hubconfig.access.authenticators import (
    CILogon,
    Gated,
    GitLab,
    Globus,
    Oidc,
    SafeName,
)
from hubconfig.access.enforcement import Enforcer
from hubconfig.access.gate import Folders, Gate
from hubconfig.access.github import GitHub
from hubconfig.access.passwords import SharedPassword
from hubconfig.additions import Additions
from hubconfig.auth_options import (
    CILogonAuth,
    GitHubAuth,
    GitLabAuth,
    GlobusAuth,
    OidcAuth,
    SharedPasswordAuth,
)
from hubconfig.data_folder import AUDIT
from hubconfig.names import Names
from hubconfig.secret_files import (
    ADMIN_PASSWORD_MIN,
    SECRETS_DIR,
    USER_PASSWORD_MIN,
    password_refusal,
    secret,
)
from hubconfig.settings import HubSettings

SERVICE = "access"
"""The service in whose name servers of people who are put out are stopped."""

_PROVIDER_TIMES = {"connect_timeout": 5.0, "request_timeout": 10.0}
"""Seconds that a provider has for an answer before the user is told that it gives none."""


@dataclass(frozen=True)
class SignIn:
    """A hub's sign-in, as it has been configured."""

    gate: Gate
    """A menu asks it who may see what."""
    additions: Additions
    """The enforcement of the lists while the hub runs, and what pages tell of them."""


def configure_authenticator(
    settings: HubSettings,
    c: Config,
    folders: Folders | None = None,
    secrets_dir: Path = SECRETS_DIR,
    log: logging.Logger | None = None,
) -> SignIn:
    """Set up sign-in, and the enforcement of the access lists while the hub runs.

    The template variable `access_problems` lists what is wrong with the access lists; it is empty for
    all but admins.
    :param folders: where the lists and the hub's memory are.
    :param secrets_dir: where the secrets of the sign-in are, a file each.
    Raises ValueError, in words for the administrator, when a secret is missing or will not do.
    """
    folders = folders or Folders()
    log = log or logging.getLogger("JupyterHub")
    gate = Gate(settings.options, folders, log)
    kind, traits = _kind(settings, gate, secrets_dir)
    if gate.wants_groups and kind is not GitHub:
        log.warning("access: org: and team: mean GitHub's; with auth.kind %s they name nobody",
                    settings.options.auth.kind)  # fmt: skip
    c.JupyterHub.authenticator_class = kind.behind(gate)
    c.JupyterHub.extra_log_handlers = [Audit(folders.state / AUDIT)]
    c[kind.__name__].update(
        {
            "admin_users": {SafeName(user) for user in gate.admins.people},
            # Said although it is the default of a kind or two: with either, a list would be bypassed.
            "allow_all": False,
            "allow_existing_users": False,
            "any_allow_config": True,
            # 0 would switch the question before each start of a server off, too.
            "auth_refresh_age": 1,
            "refresh_pre_spawn": True,
            **_strictness(kind),
            **traits,
        }
    )
    if c[kind.__name__].get("enable_auth_state"):
        c.CryptKeeper.keys = [_crypt_key(folders.state / "crypt_key")]
    return SignIn(gate, Additions.all([_enforcement(gate, log), _problems(gate)]))


def _enforcement(gate: Gate, log: logging.Logger) -> Additions:
    token = secrets.token_hex(32)
    return Additions.of_service(SERVICE, token, ["delete:servers"], *Enforcer(gate, token, log).jobs())


def _problems(gate: Gate) -> Additions:
    def shown_to(user: Any) -> list[str]:
        return gate.problems if getattr(user, "admin", False) else []

    return Additions(template_vars={"access_problems": shown_to})


def _strictness(kind: type[Gated]) -> dict[str, bool]:
    """From 6.1 on, JupyterHub would let tokens of somebody who is out go on unless told not to."""
    return {"auth_refresh_strict": True} if kind.class_traits().get("auth_refresh_strict") else {}


def _kind(settings: HubSettings, gate: Gate, secrets_dir: Path) -> tuple[type[Gated], Mapping[str, Any]]:
    auth = settings.options.auth
    if isinstance(auth, SharedPasswordAuth):
        passwords = _passwords(secrets_dir, admins=bool(gate.admins.people))
        return SharedPassword, passwords | {"proxy_host": Names(settings.stack).proxy}
    oauth = {
        "client_id": secret("oauth_client_id", secrets_dir),
        "client_secret": secret("oauth_client_secret", secrets_dir),
        "oauth_callback_url": f"{settings.public_url}/hub/oauth_callback",
        "http_request_kwargs": _PROVIDER_TIMES,
    }
    match auth:
        case GitHubAuth():
            return GitHub, oauth | {
                "github_url": str(auth.url).rstrip("/"),
                "github_api": str(auth.api_url).rstrip("/"),
                "enable_auth_state": True,
            }
        case GitLabAuth():
            return GitLab, oauth | {"gitlab_url": str(auth.url).rstrip("/"), "scope": ["read_user"]}
        case OidcAuth():
            return Oidc, oauth | {
                "login_service": auth.service,
                "authorize_url": str(auth.authorize_url),
                "token_url": str(auth.token_url),
                "userdata_url": str(auth.userdata_url),
                "username_claim": auth.username_claim,
                "id_claim": auth.id_claim,
                "scope": list(auth.scopes),
            }
        case CILogonAuth():
            claim = {"username_derivation": {"username_claim": auth.username_claim}}
            return CILogon, oauth | {"idps": {str(auth.identity_provider): claim}}
        case GlobusAuth():
            return Globus, oauth | {
                "identity_provider": auth.identity_provider,
                # Less than the library's default, which asks for leave to move the user's files.
                "scope": ["openid", "profile"],
            }
        case _:
            assert_never(auth)


def _passwords(secrets_dir: Path, *, admins: bool) -> dict[str, Any]:
    found = {"user_password": _password("shared_password", secrets_dir, USER_PASSWORD_MIN)}
    if admins:
        found["admin_password"] = _password("admin_password", secrets_dir, ADMIN_PASSWORD_MIN)
        if found["admin_password"] == found["user_password"]:
            raise ValueError(
                "the secrets shared_password and admin_password are the same; give admins their own"
            )
    return found


def _password(name: str, secrets_dir: Path, shortest: int) -> str:
    password = secret(name, secrets_dir)
    if why := password_refusal(password, shortest):
        raise ValueError(f"the secret {name} {why}")
    return password


def _crypt_key(path: Path) -> str:
    """The key, 64 hex digits, under which GitHub's tokens are kept in the hub's database; made if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_text().strip()
        if len(key) != 64:
            raise ValueError(
                f"{path} does not hold a key of 64 hex digits; delete it, and those let in sign in again"
            ) from None
        return key
    key = secrets.token_hex(32)
    with os.fdopen(handle, "w") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
