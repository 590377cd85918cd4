"""Sign-in by a password that all share, and by another for admins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
from tornado.web import RequestHandler
from traitlets import Instance, Unicode

from hubconfig.access.authenticators import Gated
from hubconfig.access.guesses import Guesses
from hubconfig.access.refusals import too_many_guesses
from hubconfig.access.rules import Person, shown
from hubconfig.access.visitors import address_of

AuthModel = dict[str, Any]

LONGEST_TYPED_NAME = 255
"""Characters; the hub's database keeps no longer ones."""


class SharedPassword(Gated, SharedPasswordAuthenticator):
    """A name of one's choice and a password that all share; admins have another."""

    has_ids = False
    proxy_host = Unicode("", help="The proxy's name on the hub's network.", config=True)
    guesses = Instance(Guesses, ())

    async def authenticate(self, handler: RequestHandler, data: Mapping[str, str]) -> AuthModel | None:
        """Check the password; None if it, or the name, will not do.

        Raises HTTPError with a page that says how long to wait after many wrong ones.
        """
        name = data.get("username", "").strip()
        password = data.get("password", "")
        # The comparison in constant time knows ASCII only, which every password of ours is.
        if not name or len(name) > LONGEST_TYPED_NAME or not password.isascii():
            return None
        address = address_of(handler.request, self.proxy_host)
        if wait_s := self.guesses.wait_s(name, address):
            self.log.debug("guesses: %s from %s has to wait", shown(name), address)
            raise too_many_guesses(wait_s)
        model: AuthModel | None = await super().authenticate(
            handler, {"username": name, "password": password}
        )
        if model is None:
            self.guesses.wrong(name, address)
            self.log.warning("sign-in: a wrong password for %s from %s", shown(name), address)
        return model and model | {"person": Person(name)}
