"""Takes over users' servers that an older version started under other names.

The proxy finds a server by its container's name alone (`hubconfig.names`). Names of further hubs' servers
have changed, so those that run are renamed at the hub's start, before JupyterHub looks for them; Docker's DNS
follows. They ask their hub by its own former name, which the program keeps for it.
"""

from __future__ import annotations

from typing import Any

from docker.errors import APIError
from dockerspawner import DockerSpawner

from hubconfig import labels
from hubconfig.names import Names
from hubconfig.settings import HubSettings


class Renamed(DockerSpawner):
    """A server that is known by the name that it would get today, whatever the hub remembers."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Take what the hub remembers of a server."""
        super().load_state(state)
        self.object_name = self._object_name_default()


def rename_former(settings: HubSettings, engine: Any) -> list[str]:
    """Give this hub's servers the names of today; a line for the log for each that had another one.

    :param engine: Docker's client. Raises docker.errors.APIError when it does not say what there is.
    """
    names = Names(settings.stack)
    wanted = labels.labels(settings.stack, "user", hub=settings.name)
    filters = {"label": [f"{label}={value}" for label, value in wanted.items()]}
    said = []
    for container in engine.containers.list(all=True, ignore_removed=True, filters=filters):
        name = names.server(settings.name, container.labels[labels.USER])
        if container.name == name:
            continue
        try:
            container.rename(name)
        except APIError as error:
            said.append(f"the server {container.name} cannot be called {name}: {error.explanation}")
        else:
            said.append(f"the server {container.name} of an older version is called {name} now")
    return said
