"""Runs the program as far as the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pydantic import TypeAdapter

from infra import clouds
from infra.clouds.context import Context
from infra.host import Host
from infra.machine.filesystem import Filesystem
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
    checked: list[tuple[int, float]] = field(default_factory=list)
    """What the program was told of the machine's size."""


def deploy(
    settings: Mapping[str, Any],
    *,
    hostname: str | None = None,
    stack: str = "test",
    too_small: str | None = None,
    **engine_options: Any,
) -> Deployed:
    """Build the machine that these settings ask for.

    :param too_small: the error of a machine that cannot hold what the settings ask for.
    """
    hosts: list[Host] = []
    known: dict[str, Any] = {}
    checked: list[tuple[int, float]] = []

    def check(memory_mb: int, cpus: float, _: Filesystem | None) -> None:
        checked.append((memory_mb, cpus))
        if too_small:
            raise pulumi.RunError(too_small)

    def program() -> pulumi.Output[None]:
        context = Context(
            project=engine.PROJECT,
            stack=stack,
            hostname=hostname,
            previous=pulumi.Output.from_input({}),
            check_machine=check,
        )
        host = clouds.build(CLOUD.validate_python(dict(settings)), context)
        hosts.append(host)
        return pulumi.Output.all(address=host.address, docker_host=host.docker_host).apply(known.update)

    run = engine.run(program, stack=stack, **engine_options)
    return Deployed(run, hosts[0], known, checked)
