"""What is where inside a hub's container, and the uid, gid and ports on which hub, proxy and servers agree.

The entrypoint is told of it in variables (`environment`), the proxy and the fence in their configuration.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

UID: Final = 1000
"""Of the hub and of users' servers; homes belong to it."""

GID: Final = 100
"""Debian's group `users`."""

HUB_PORT: Final = 8081
"""Where a hub answers, on the network of its container."""

SERVER_PORT: Final = 8888
"""Where a user's server answers."""

PROXY_HTTP_PORT: Final = 8080
PROXY_HTTPS_PORT: Final = 8443
"""The proxy's ports inside its container; above 1023, so that it needs no privilege."""

PROXY_ASK_PORT: Final = 8079
"""Where the proxy asks itself, on its loopback, which of the hubs knows a host's user."""

ASKED_FOR_HOSTS: Final = "hub/user-host"
"""The path below a hub's own at which it says whether a host is one of its users'."""

STATE: Final = PurePosixPath("/srv/state")
"""The hub's own memory."""

ACCESS: Final = PurePosixPath("/srv/access")
"""Holds wlist, blist and the announcement; the administrator writes there."""

HOMES: Final = PurePosixPath("/srv/homes")
"""The folder of users' homes."""

SPACES: Final = PurePosixPath("/srv/spaces")
"""Shared folders; in users' servers, too, the folders of other machines."""

CODE: Final = PurePosixPath("/srv/cyberhub")
"""The hub's settings, and its code in the folder `hubconfig`."""

SETTINGS_FILE: Final = CODE / "settings.json"

CODE_ARCHIVE: Final = CODE / "hubconfig.tar"
"""The code as it is put in; the entrypoint unpacks it."""

GIVEN_SECRETS: Final = PurePosixPath("/run/secrets")
"""Where secrets are put in, for root."""

SECRETS: Final = PurePosixPath("/run/cyberhub")
"""Where the hub reads them: in memory, its own."""

DOCKER_SOCKET: Final = PurePosixPath("/var/run/docker.sock")

DATABASE: Final = STATE / "jupyterhub.sqlite"


def environment() -> dict[str, str]:
    """The variables that tell the entrypoint."""
    return {
        "HUB_UID": f"{UID}",
        "HUB_GID": f"{GID}",
        "HUB_STATE": f"{STATE}",
        "HUB_ACCESS": f"{ACCESS}",
        "HUB_HOMES": f"{HOMES}",
        "HUB_SPACES": f"{SPACES}",
        "HUB_SETTINGS": f"{SETTINGS_FILE}",
        "HUB_CODE": f"{CODE_ARCHIVE}",
        "HUB_GIVEN_SECRETS": f"{GIVEN_SECRETS}",
        "HUB_SECRETS": f"{SECRETS}",
        "HUB_DOCKER": f"{DOCKER_SOCKET}",
    }
