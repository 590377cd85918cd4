"""Runs the program as far as the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pydantic import TypeAdapter

from infra import clouds
from infra.clouds.choice import Choice
from infra.clouds.context import Context
from infra.host import Host
from infra.machine.capacity import Capacity
from infra.stack.clouds import Cloud
from tests.unit import engine

CLOUD: TypeAdapter[Cloud] = TypeAdapter(Cloud)


@dataclass
class Deployed:
    """What one run gave."""

    run: engine.Run
    host: Host
    known: dict[str, Any]
    """The values of the Host's outputs."""
    capacity: Capacity
    """What was known of the machine before it was made."""


def choose(settings: Mapping[str, Any], hostname: str | None = None, stack: str = "test") -> Choice:
    """The machine that these settings ask for, not made yet; to be called in a program."""
    context = Context(project=engine.PROJECT, stack=stack, hostname=hostname)
    return clouds.choose(CLOUD.validate_python(dict(settings)), context)


def deploy(
    settings: Mapping[str, Any], *, hostname: str | None = None, stack: str = "test", **engine_options: Any
) -> Deployed:
    """Build the machine that these settings ask for."""
    made: list[tuple[Capacity, Host]] = []
    known: dict[str, Any] = {}

    def program() -> pulumi.Output[None]:
        choice = choose(settings, hostname, stack)
        host = choice.build()
        made.append((choice.capacity, host))
        return pulumi.Output.all(address=host.address, docker_host=host.docker_host).apply(known.update)

    run = engine.run(program, stack=stack, **engine_options)
    ((capacity, host),) = made
    return Deployed(run, host, known, capacity)
