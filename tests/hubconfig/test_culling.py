"""Idle servers are stopped, but not without a word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hubconfig.options import Culling
from hubconfig.servers.culling import arguments, environment, every_seconds, server_end


def user(idle_minutes: float, *, ready: bool = True, age_hours: float = 10) -> Any:
    def ago(**time: float) -> datetime:
        return (datetime.now(UTC) - timedelta(**time)).replace(tzinfo=None)

    record = SimpleNamespace(last_activity=ago(minutes=idle_minutes), started=ago(hours=age_hours))
    return SimpleNamespace(spawner=SimpleNamespace(ready=ready, orm_spawner=record))


def test_a_user_is_warned_only_when_the_end_is_near() -> None:
    culling = Culling(idle_minutes=60, warn_minutes=5)
    assert server_end(culling, user(50)) is None
    end = server_end(culling, user(56))
    assert end is not None
    assert end.can_stay
    assert timedelta(minutes=3) < end.at - datetime.now(UTC) < timedelta(minutes=5)


def test_a_user_whose_server_may_not_get_older_is_told_so_even_while_using_it() -> None:
    culling = Culling(idle_minutes=60, warn_minutes=5, max_age_hours=8)
    assert server_end(culling, user(0, age_hours=7)) is None
    end = server_end(culling, user(0, age_hours=7.95))
    assert end is not None
    assert not end.can_stay


def test_nobody_is_warned_of_what_will_not_happen() -> None:
    assert server_end(Culling(idle_minutes=0), user(500)) is None
    assert server_end(Culling(idle_minutes=60), user(59, ready=False)) is None
    assert server_end(Culling(idle_minutes=60), None) is None


@pytest.mark.parametrize(("minutes", "seconds"), [(60, 300), (10, 60), (1, 30)])
def test_the_hub_looks_often_enough(minutes: int, seconds: int) -> None:
    assert every_seconds(Culling(idle_minutes=minutes)) == seconds


@pytest.mark.parametrize(("minutes", "seconds"), [(240, 300), (20, 240), (5, 60), (1, 15)])
def test_a_server_in_use_says_so_well_before_it_would_be_stopped(minutes: int, seconds: int) -> None:
    assert environment(Culling(idle_minutes=minutes)) == {"JUPYTERHUB_ACTIVITY_INTERVAL": str(seconds)}


def test_kernels_that_nobody_looks_at_end_after_the_same_time() -> None:
    assert arguments(Culling(idle_minutes=10)) == ["--MappingKernelManager.cull_idle_timeout=600"]


def test_nothing_is_said_to_servers_where_nothing_is_stopped() -> None:
    assert environment(Culling(idle_minutes=0)) == {}
    assert arguments(Culling(idle_minutes=0)) == []
