"""Whoever does not answer is named with its own last words; what is gone stops nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pulumi
import pytest

from infra.engine import Engine, MissingError
from infra.site import answering

LATER = "2026-11-25T12:00:30Z"


@dataclass(frozen=True)
class Machine(Engine):
    """An engine with these containers: name to what `docker inspect` says of it."""

    containers: dict[str, dict[str, object]] = field(default_factory=dict)

    def run(self, *words: str, seconds: int = 0, text: str | None = None) -> str:
        if words[0] == "info":
            return LATER
        name = words[-1]
        if name not in self.containers:
            raise MissingError(f"Error: No such object: {name}")
        if words[0] == "logs":
            return f"last words of {name}"
        known = self.containers[name]
        return str(known["Created"]) if "{{.Created}}" in words else json.dumps(known)


def container(
    *, running: bool = True, restarts: int = 0, made: str = LATER, since: str = LATER
) -> dict[str, object]:
    state = {"Running": running, "Restarting": False, "StartedAt": since}
    return {"Created": made, "RestartCount": restarts, "State": state}


PAGE = answering._Asked("https://x/hub/health", answering._ON_THE_WAY, lambda: False)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_NEW_SECONDS", "_OLD_SECONDS", "_LOOK_SECONDS"):
        monkeypatch.setattr(answering, name, 0.1)


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lines.append)
    return lines


OLD = "2026-11-01T00:00:00Z"


@pytest.mark.parametrize("broken", [container(running=False), container(restarts=3)], ids=["ended", "loops"])
def test_a_proxy_that_does_not_stay_up_is_told_with_its_own_words(broken: dict[str, object]) -> None:
    machine = Machine(containers={"s-proxy": broken, "s-hub": container(made=OLD)})
    with pytest.raises(pulumi.RunError, match=r"(?s)s-proxy does not stay up.*last words of s-proxy") as told:
        answering._wait(PAGE, machine, "s-proxy", "s-hub")
    assert "firewall" not in str(told.value)


def test_a_hub_that_was_broken_before_is_told_and_stops_nothing(warned: list[str]) -> None:
    machine = Machine(
        containers={"s-proxy": container(made=OLD), "s-hub": container(running=False, made=OLD)}
    )
    answering._wait(PAGE, machine, "s-proxy", "s-hub")
    assert "last words of s-hub" in warned[0]
    assert "firewall" not in warned[0]


@pytest.mark.parametrize("gone", ["s-proxy", "s-hub"])
def test_a_container_that_somebody_removed_stops_nothing(gone: str, warned: list[str]) -> None:
    there = {name: container(made=OLD) for name in ("s-proxy", "s-hub") if name != gone}
    answering._wait(PAGE, Machine(containers=there), "s-proxy", "s-hub")
    assert f"No such object: {gone}" in warned[0]


def test_a_firewall_is_suspected_only_where_all_runs(warned: list[str]) -> None:
    both = {name: container(made=OLD) for name in ("s-proxy", "s-hub")}
    answering._wait(PAGE, Machine(containers=both), "s-proxy", "s-hub")
    assert "firewall" in warned[0]


def test_behind_another_proxy_nobody_is_sent_to_a_name_that_may_lead_elsewhere(warned: list[str]) -> None:
    both = {name: container(made=OLD) for name in ("s-proxy", "s-hub")}
    asked = answering._Asked("s-proxy/hub/health", "", lambda: False)
    answering._wait(asked, Machine(containers=both), "s-proxy", "s-hub")
    assert "last words of s-proxy" in warned[0]
    assert "DNS" not in warned[0]
