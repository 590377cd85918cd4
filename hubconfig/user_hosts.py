"""Gives each user's server a host of its own, so that what it sends to a browser acts there for it alone.

A page may read, script and store for its own origin only. Servers that share the hub's host share all that a
visitor may do at the hub.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from jupyterhub.handlers import default_handlers
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.objects import Hub
from tornado.web import HTTPError
from traitlets.config import Config

from hubconfig.container import ASKED_FOR_HOSTS
from hubconfig.names import FIRST_HUB, host_label, user_of_host
from hubconfig.settings import HubSettings

SIGN_OUT_S = 30
"""Seconds after which a server asks the hub anew who somebody is.

The cookie by which it would see a sign-out at once belongs to the hub's host and is not sent to it.
JupyterHub's own 300 s are long for somebody who leaves a computer that others use."""


def part_hosts(settings: HubSettings, c: Config) -> None:
    """Have JupyterHub lead to users' own hosts, where the settings name a domain for them."""
    domain = settings.user_domain
    if domain is None:
        return
    where = urlsplit(settings.public_url)
    c.JupyterHub.subdomain_host = f"{where.scheme}://{where.netloc}"

    def host(name: str, hubs_own: str, kind: str) -> str:
        return f"{host_label(settings.name, name)}.{domain}" if kind == "user" else hubs_own

    c.JupyterHub.subdomain_hook = host
    # A page may set cookies for hosts above its own, the hub's among them, but none with this prefix. It may
    # set none for a domain of one word, so sessions on this computer go on under the name that they have.
    c.JupyterHub.cookie_host_prefix_enabled = prefixed = "." in domain
    if prefixed and settings.name != FIRST_HUB:
        # Such a cookie belongs to the whole host, so each hub there needs its own; there is no setting.
        Hub.cookie_name = f"jupyterhub-hub-login-{settings.name}"
    # The setting for further pages only warns at each start that there should be none.
    path = ASKED_FOR_HOSTS.removeprefix("hub")
    default_handlers.append((path, UserHost, {"hub": settings.name, "domain": domain}))


def arguments(settings: HubSettings) -> list[str]:
    """What a server must be told of it."""
    return [] if settings.user_domain is None else [f"--HubOAuth.cache_max_age={SIGN_OUT_S}"]


class UserHost(BaseHandler):
    """Tells the proxy whether a host is a user's, before it gets a certificate for it."""

    def initialize(self, hub: str, domain: str) -> None:
        """Remember whose hosts are asked about."""
        self._hub, self._domain = hub, domain

    def get(self) -> None:
        """200 for the host of somebody who has signed in before, else 404."""
        name = user_of_host(self._hub, self._domain, self.get_argument("domain"))
        known: Any = self.find_user(name) if name else None
        if known is None:
            raise HTTPError(404)
        self.finish()
