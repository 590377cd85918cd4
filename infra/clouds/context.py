"""What a cloud may know of the stack it builds a machine for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from infra.machine.filesystem import Filesystem


@dataclass(frozen=True, kw_only=True)
class Context:
    """The stack, beside its cloud settings."""

    project: str
    stack: str
    hostname: str | None
    """The hub's DNS name, for a cloud that can make its record."""
    previous: pulumi.Output[Mapping[str, Any]]
    """The stack's outputs of its last update; empty before the first."""
    check_machine: Callable[[int, float, Filesystem | None], None]
    """To be called with the machine's memory in MB, its CPUs, and what the data folder is on (None where that
    is still to be made) once they are known, before the first resource: raises pulumi.RunError when a setting
    asks for more than the machine has."""
