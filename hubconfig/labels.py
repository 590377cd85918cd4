"""The Docker labels by which people and programs tell what is whose: spelt here, for both sides."""

from __future__ import annotations

from typing import Final, Literal

Role = Literal["backup", "fence", "home-limits", "hub", "proxy", "space", "user"]
"""What a container is; `user` is a user's server."""

STACK: Final = "cyberhubs.stack"
"""The stack's name, on all that is ours, users' servers too."""

ROLE: Final = "cyberhubs.role"
"""What a container is, see `Role`."""

HUB: Final = "cyberhubs.hub"
"""The hub's name, on hubs and users' servers."""

USER: Final = "cyberhubs.user"
"""The user's name, on users' servers."""

TRIAL: Final = "cyberhubs.trial"
"""The stack's name, on the container in which an image is tried before a menu offers it."""

JUPYTERHUB: Final = "cyberhubs.jupyterhub"
"""The version of JupyterHub, on images of ours."""


def labels(stack: str, role: Role, *, hub: str | None = None, user: str | None = None) -> dict[str, str]:
    """The labels of a container.

    :param hub: of hubs and users' servers.
    :param user: of users' servers.
    """
    known = {STACK: stack, ROLE: role, HUB: hub, USER: user}
    return {label: value for label, value in known.items() if value is not None}


def is_server_of(given: dict[str, str], stack: str, hub: str) -> bool:
    """Whether a container with these labels is a user's server of this hub."""
    wanted = labels(stack, "user", hub=hub)
    return all(given.get(label) == value for label, value in wanted.items())
