"""How many servers run, of those that may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jupyterhub.app import JupyterHub


@dataclass(frozen=True)
class ServerLimit:
    """What the pages ask, each for the user who looks."""

    servers_max: int
    user: Any = None

    def __call__(self, user: Any) -> ServerLimit:
        """The same as one user sees it; JupyterHub calls this for each page."""
        return ServerLimit(self.servers_max, user)

    @property
    def taken(self) -> bool:
        """Whether all places are taken, and none of them is the user's own."""
        if self.user is None or self.user.active:
            return False
        servers: int = JupyterHub.instance().users.count_active_users()["active"]
        return servers >= self.servers_max
