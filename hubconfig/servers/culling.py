"""Stops servers that nobody uses, from inside the hub's own process.

jupyterhub-idle-culler decides; run as a process of its own, as it usually is, it takes 19 MB.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyterhub.app import JupyterHub
from jupyterhub_idle_culler import cull_idle

from hubconfig.options import Culling
from hubconfig.servers.computing import Computing

SERVICE = "culler"
SCOPES = ("list:users", "read:users:activity", "read:servers", "delete:servers")


def every_seconds(culling: Culling) -> float:
    """How often to look: ten times within the time that a server may idle, but not more than each 30 s."""
    shortest = min(filter(None, (culling.idle_minutes * 60, culling.max_age_hours * 3600)), default=0)
    return max(30.0, min(300.0, shortest / 10))


def environment(culling: Culling) -> dict[str, str]:
    """What a server must know of it, in variables: how often to tell the hub of its last activity.

    JupyterHub's own 300 s would have the hub stop servers in use where the limit is that short.
    """
    if not culling.idle_minutes:
        return {}
    return {"JUPYTERHUB_ACTIVITY_INTERVAL": f"{max(15, min(300, culling.idle_minutes * 60 // 5))}"}


def arguments(culling: Culling) -> list[str]:
    """What a server must know of it, in arguments: to end kernels that nobody looks at and that do nothing.

    Somebody who works goes on, but does not keep the memory of every notebook of that day.
    """
    if not culling.idle_minutes:
        return []
    return [f"--MappingKernelManager.cull_idle_timeout={culling.idle_minutes * 60}"]


async def cull(culling: Culling, api_url: str, token: str, log: logging.Logger, computing: Computing) -> None:
    """Look once, and stop what has idled too long or is too old; what computes does not idle."""
    if culling.idle_minutes:
        hub = JupyterHub.instance()
        await computing.note(hub.users.values(), hub.db)
    never_seconds = 10**9
    await cull_idle(
        url=api_url,
        api_token=token,
        inactive_limit=culling.idle_minutes * 60 or never_seconds,
        logger=log,
        max_age=culling.max_age_hours * 3600,
        api_page_size=200,
    )


@dataclass(frozen=True)
class ServerEnd:
    """When a server will be stopped."""

    at: datetime
    can_stay: bool
    """Whether using it puts that off."""
    now: datetime


def server_end(culling: Culling, user: Any) -> ServerEnd | None:
    """When a user's server will be stopped, if that is soon enough to warn of; None else.

    :param user: JupyterHub's own object, which it gives for each page; None for nobody.
    """
    if user is None or not user.spawner.ready:
        return None
    record = user.spawner.orm_spawner
    now = datetime.now(UTC)
    ends = []
    if culling.max_age_hours and record.started:
        ends.append(ServerEnd(_utc(record.started) + timedelta(hours=culling.max_age_hours), False, now))
    if culling.idle_minutes and (record.last_activity or record.started):
        idle_since = _utc(record.last_activity or record.started)
        ends.append(ServerEnd(idle_since + timedelta(minutes=culling.idle_minutes), True, now))
    first = min(ends, key=lambda end: end.at, default=None)
    return first if first and first.at - now <= timedelta(minutes=culling.warn_minutes) else None


def _utc(time: datetime) -> datetime:
    """A time of JupyterHub's database, which are all in UTC without saying so."""
    return time.replace(tzinfo=UTC)
