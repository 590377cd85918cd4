"""A server that computes is in use, whether or not anybody looks."""

from __future__ import annotations

import asyncio
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from docker.errors import NotFound

from hubconfig.servers.computing import Computing

LONG_AGO = datetime(2020, 1, 1)  # noqa: DTZ001 - as JupyterHub's database has times


class Machine:
    """Containers that use processors as they are told, and a clock that stands until it is moved."""

    def __init__(self, **shares: float) -> None:
        self.shares = shares
        self.now_s = 0.0
        self.commits = 0
        self.users = [self._user(name) for name in shares]
        self.computing = Computing(lambda: self.now_s)

    def _user(self, name: str) -> Any:
        async def docker(_: str, container: str, **__: object) -> dict[str, Any]:
            if container not in self.shares:
                raise NotFound("no such container")
            return {
                "cpu_stats": {"cpu_usage": {"total_usage": int(self.shares[container] * self.now_s * 1e9)}}
            }

        spawner = SimpleNamespace(
            ready=True,
            object_id=name,
            docker=docker,
            user=SimpleNamespace(name=name),
            orm_spawner=SimpleNamespace(last_activity=LONG_AGO),
        )
        return SimpleNamespace(spawners={"": spawner})

    def commit(self) -> None:
        self.commits += 1

    def after(self, seconds: float) -> list[str]:
        """Who computed in these seconds."""
        self.now_s += seconds
        return asyncio.run(self.computing.note(self.users, self))

    def idle_since(self, name: str) -> datetime:
        number = list(self.shares).index(name)
        found: datetime = self.users[number].spawners[""].orm_spawner.last_activity
        return found


def test_a_silent_loop_is_activity() -> None:
    machine = Machine(ada=1.0)
    assert machine.after(60) == []  # nothing to compare with yet
    assert machine.after(60) == ["ada"]
    assert machine.idle_since("ada") > LONG_AGO
    assert machine.commits == 1


def test_a_tab_that_is_merely_open_is_not() -> None:
    machine = Machine(bob=0.01)
    machine.after(300)
    assert machine.after(300) == []
    assert machine.idle_since("bob") == LONG_AGO
    assert machine.commits == 0


def test_a_loop_that_ends_is_idle_from_then_on() -> None:
    machine = Machine(ada=0.5)
    machine.after(60)
    assert machine.after(60) == ["ada"]
    machine.shares["ada"] = 60.0 / machine.now_s  # it has used 60 s in all, and uses no more
    machine.after(60)
    machine.shares["ada"] = 60.0 / (machine.now_s + 60)
    assert machine.after(60) == []


def test_a_server_that_has_ended_hides_nobody() -> None:
    machine = Machine(gone=1.0, ada=1.0)
    machine.after(60)
    del machine.shares["gone"]
    assert machine.after(60) == ["ada"]
