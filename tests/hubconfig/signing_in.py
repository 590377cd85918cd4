"""A configured authenticator, and as much of a browser as the libraries look at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from oauthenticator.oauth2 import _serialize_state
from traitlets.config import Config

from hubconfig.access.authenticators import Gated
from hubconfig.access.gate import Folders
from hubconfig.access.refusals import NotLetInError
from hubconfig.access.sign_in import SignIn, configure_authenticator
from hubconfig.options import HubOptions
from hubconfig.settings import HubSettings
from tests.hubconfig.provider import CLIENT_ID, CLIENT_SECRET, Provider

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
    """Set up signing in, as a hub does when it starts."""
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

    class request:  # noqa: N801 - read as the request's attribute
        remote_ip = "192.0.2.1"
        headers: ClassVar[dict[str, str]] = {}

        class connection:  # noqa: N801 - as above
            class context:  # noqa: N801 - as above
                address = ("192.0.2.1", 40000)

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


ORG = {"access": {"allow": ["org:UVic", "team:acme/stars"]}}


def github(folder: Path, server: Provider, **options: Any) -> Hub:
    """A hub whose people sign in with GitHub."""
    return Hub(folder, server.url, {"kind": "github", **KINDS["github"]}, **options)


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
