"""Idle servers are stopped, but not without a word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hubconfig.culling import every_seconds, server_stops_at
from hubconfig.settings import Culling


def user(idle_minutes: float, *, ready: bool = True) -> Any:
    last = (datetime.now(UTC) - timedelta(minutes=idle_minutes)).replace(tzinfo=None)
    record = SimpleNamespace(last_activity=last, started=last)
    return SimpleNamespace(spawner=SimpleNamespace(ready=ready, orm_spawner=record))


def test_a_user_is_warned_only_when_the_end_is_near() -> None:
    culling = Culling(idle_minutes=60, warn_minutes=5)
    assert server_stops_at(culling, user(50)) is None
    end = server_stops_at(culling, user(56))
    assert end is not None
    assert timedelta(minutes=3) < end - datetime.now(UTC) < timedelta(minutes=5)


def test_nobody_is_warned_of_what_will_not_happen() -> None:
    assert server_stops_at(Culling(idle_minutes=0), user(500)) is None
    assert server_stops_at(Culling(idle_minutes=60), user(59, ready=False)) is None
    assert server_stops_at(Culling(idle_minutes=60), None) is None


@pytest.mark.parametrize(("minutes", "seconds"), [(60, 300), (10, 60), (1, 30)])
def test_the_hub_looks_often_enough(minutes: int, seconds: int) -> None:
    assert every_seconds(Culling(idle_minutes=minutes)) == seconds
