"""Stops servers that nobody uses, from inside the hub's own process.

jupyterhub-idle-culler decides; run as a process of its own, as it usually is, it takes 19 MB.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyterhub_idle_culler import cull_idle

from hubconfig.settings import Culling

SERVICE = "culler"
SCOPES = ("list:users", "read:users:activity", "read:servers", "delete:servers")


def every_seconds(culling: Culling) -> float:
    """How often to look: ten times within the time that a server may idle, but not more than each 30 s."""
    shortest = min(filter(None, (culling.idle_minutes * 60, culling.max_age_hours * 3600)), default=0)
    return max(30.0, min(300.0, shortest / 10))


async def cull(culling: Culling, api_url: str, token: str, log: logging.Logger) -> None:
    """Look once, and stop what has idled too long or is too old."""
    never_seconds = 10**9
    await cull_idle(
        url=api_url,
        api_token=token,
        inactive_limit=culling.idle_minutes * 60 or never_seconds,
        logger=log,
        max_age=culling.max_age_hours * 3600,
        api_page_size=200,
    )


def server_stops_at(culling: Culling, user: Any) -> datetime | None:
    """When a user's idle server will be stopped, if that is soon enough to warn of; None else.

    :param user: JupyterHub's own object, which it gives for each page; None for nobody.
    """
    if user is None:
        return None
    spawner = user.spawner
    if not (spawner.ready and culling.idle_minutes):
        return None
    # JupyterHub's database keeps times in UTC, without saying so.
    last_activity = spawner.orm_spawner.last_activity or spawner.orm_spawner.started
    if last_activity is None:
        return None
    end: datetime = last_activity.replace(tzinfo=UTC) + timedelta(minutes=culling.idle_minutes)
    return end if end - datetime.now(UTC) <= timedelta(minutes=culling.warn_minutes) else None
