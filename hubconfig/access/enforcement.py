"""Puts out whoever may no longer be in the hub: sessions, tokens and servers, within seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from functools import cached_property, partial
from typing import Any
from urllib.parse import quote

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from hubconfig.access.gate import Gate
from hubconfig.access.rules import shown
from hubconfig.background import Job

LOOK_EVERY_S = 0.5
"""How often the list files and the clock are looked at: two calls of stat each time."""

ASK_EVERY_S = 30.0
"""How often those with a server are asked about who are in by a membership."""

RETRY_S = (0.5, 1.0, 2.0, 5.0)
"""Waits between tries to stop a server; the last goes on until it is gone."""

LINGER_S = 120.0
"""How long to watch for a container that comes up although its start was called off: a call to
Docker cannot be taken back, and may take as long as the slowest start."""

_ASK_AT_ONCE = 4

_AT_A_TIME = 20
"""People put out before other work of the hub has its turn; 60 ms, at 3 ms each on a slow machine."""

_BREATH_S = 0.01


class Enforcer:
    """Runs inside the hub's own process, as long as the hub does."""

    def __init__(self, gate: Gate, token: str, log: logging.Logger) -> None:
        """Remember whom to ask.

        :param token: of a service that may stop servers.
        """
        self._gate = gate
        self._token = token
        self._log = log
        self._app: Any = None
        """The JupyterHub application, once it answers."""
        self._seen: object = None
        self._stopping: dict[str, asyncio.Task[None]] = {}

    def jobs(self) -> tuple[Job, ...]:
        """What is to be done while the hub runs."""
        # Apart from each other: a provider that does not answer may not hold up the lists.
        return (
            self._job("enforcing the access lists", LOOK_EVERY_S, self._look),
            self._job("asking who is still a member", ASK_EVERY_S, self.ask_about_groups),
        )

    def _job(self, name: str, every_s: float, work: Callable[[], Awaitable[None]]) -> Job:
        async def once() -> None:
            await self._hub_answers()
            try:
                await work()
            except Exception:
                self._app.db.rollback()
                raise

        return Job(name, every_s, once, at_start=True)

    async def _look(self) -> None:
        state = self._gate.state
        if state != self._seen:
            await self.sweep()
            self._seen = state

    async def sweep(self) -> None:
        """Put out everybody who is known and no longer allowed; those with a server first."""
        with_server = {user.id for user in self._app.users.values() if _active(user)}
        denied = []
        for number, name in self._app.db.query(orm.User.id, orm.User.name):
            if self._gate.allows(self._gate.person(name)):
                self._gate.out.discard(name)
            elif name not in self._gate.out or number in with_server:
                denied.append(number)
        denied.sort(key=lambda number: number not in with_server)
        for begin in range(0, len(denied), _AT_A_TIME):
            self._put_out(denied[begin : begin + _AT_A_TIME])
            await asyncio.sleep(_BREATH_S)

    async def ask_about_groups(self) -> None:
        """Decide anew about those with a server who are in by a membership, as GitHub tells it now."""
        busy = asyncio.Semaphore(_ASK_AT_ONCE)

        async def ask(user: Any) -> None:
            person = self._gate.people.get(user.name)
            async with busy:
                if person and not (await self._app.authenticator.current(user, person)).allowed:
                    self._put_out({user.id})

        await asyncio.gather(*(ask(user) for user in list(self._app.users.values()) if _active(user)))

    def _put_out(self, numbers: Collection[int]) -> None:
        """End these users' sessions and tokens now, and begin to stop their servers."""
        db = self._app.db
        for orm_user in db.query(orm.User).filter(orm.User.id.in_(numbers)):
            name = orm_user.name
            user = self._app.users.get(orm_user.id)
            has_server = user is not None and _active(user)
            if name not in self._gate.out:
                had_tokens = self._end_sessions(orm_user)
                self._gate.out.add(name)
                if had_tokens or has_server or self._gate.has_met(name):
                    self._gate.decide(self._gate.person(name))
            if has_server and name not in self._stopping:
                task = asyncio.get_running_loop().create_task(self._stop_servers(name, user))
                self._stopping[name] = task
                task.add_done_callback(partial(self._stopped, name))
        db.commit()

    def _stopped(self, name: str, task: asyncio.Task[None]) -> None:
        self._stopping.pop(name, None)
        if not task.cancelled() and (error := task.exception()):
            self._log.error("access: stopping the servers of %s failed", name, exc_info=error)
            self._gate.out.discard(name)

    def _end_sessions(self, orm_user: Any) -> bool:
        """Make every cookie and token worthless; whether there were tokens."""
        held = [*orm_user.api_tokens, *orm_user.oauth_codes]
        for each in held:
            self._app.db.delete(each)
        orm_user.cookie_id = orm.new_token()
        return bool(held)

    async def _stop_servers(self, name: str, user: Any) -> None:
        """Stop all servers of somebody, trying until they are gone or the person is allowed again."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        linger_until = begun
        spawners = dict(user.spawners)
        tries = 0
        while not self._gate.allows(self._gate.person(name)):
            spawners |= dict(user.spawners)
            if any(spawner.pending == "spawn" for spawner in spawners.values()):
                linger_until = clock() + LINGER_S
            left = [server for server in spawners if not await self._stop(user, server, spawners[server])]
            if not left and clock() >= linger_until:
                self._log.warning("access: put out %s: servers gone after %.1f s", name, clock() - begun)
                return
            await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
            tries += 1

    async def _stop(self, user: Any, server: str, spawner: Any) -> bool:
        """Try once to stop a server; whether it is gone for certain."""
        try:
            if end_now := getattr(spawner, "end_now", None):
                await end_now()
            if spawner.active and user.spawners.get(server) is spawner:
                await self._ask_hub_to_stop(user.name, server)
            if spawner.pending:
                return False
            # The hub counts a server as stopped even when stopping it failed: the container is what counts.
            if await spawner.poll() is None:
                await spawner.stop(now=True)
                return False
        except Exception as error:  # noqa: BLE001 - spawners raise what they like; it is tried again
            self._log.warning(
                "access: server %s of %s is not gone yet and is stopped again: %s",
                shown(server) or "(default)",
                user.name,
                shown(f"{type(error).__name__}: {error}"),
            )
            return False
        return True

    async def _ask_hub_to_stop(self, name: str, server: str) -> None:
        path = f"users/{quote(name)}/servers/{quote(server)}" if server else f"users/{quote(name)}/server"
        await self._request(self._app, path, "DELETE")

    async def _hub_answers(self) -> None:
        """Wait until the hub is there to be asked, which takes it some seconds after its start."""
        while self._app is None:
            app = JupyterHub.instance()
            try:
                if getattr(app, "hub", None):  # until its addresses are known
                    await self._request(app, "", "GET")
                    self._app = app
                    return
            except (HTTPClientError, OSError):
                pass
            await asyncio.sleep(0.1)

    async def _request(self, app: Any, path: str, method: str) -> None:
        request = HTTPRequest(
            app.hub.api_url.rstrip("/") + "/" + path,
            method=method,
            headers={"Authorization": f"token {self._token}"},
            request_timeout=60,
        )
        await self._client.fetch(request)

    @cached_property
    def _client(self) -> AsyncHTTPClient:
        """Of the event loop that runs; there is none yet when the hub is configured."""
        return AsyncHTTPClient(force_instance=True, max_clients=1000)


def _active(user: Any) -> bool:
    return any(spawner.active for spawner in user.spawners.values())
