"""Hears from Docker at once when a user's server ends.

JupyterHub itself looks every 30 s, and until then sends whoever opens a dead server's page round in circles.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout, UnixConnector

from hubconfig import container, labels

DOCKER = Path(container.DOCKER_SOCKET)


async def listen(users: Any, stack: str, hub: str, docker: Path = DOCKER) -> None:
    """Have the hub look at each server whose container ends; returns when Docker closes the connection.

    :param users: JupyterHub's own users, by name.
    """
    wanted = {
        "type": ["container"],
        "event": ["die"],
        "label": [f"{label}={value}" for label, value in labels.labels(stack, "user", hub=hub).items()],
    }
    session = ClientSession(connector=UnixConnector(str(docker)), timeout=ClientTimeout(total=None))
    async with (
        session,
        session.get("http://docker/events", params={"filters": json.dumps(wanted)}) as events,
    ):
        events.raise_for_status()
        async for line in events.content:
            user = users.get(json.loads(line)["Actor"]["Attributes"][labels.USER])
            # A server that the hub itself is stopping is not ready any more.
            if user is not None and user.spawner.ready:
                await user.spawner.poll_and_notify()
