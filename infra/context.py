"""What a cloud may know of the stack it builds a machine for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi


@dataclass(frozen=True, kw_only=True)
class Context:
    """The stack, beside its cloud settings."""

    project: str
    stack: str
    hostname: str | None
    """The hub's DNS name, for a cloud that can make its record."""
    previous: pulumi.Output[Mapping[str, Any]]
    """The stack's outputs of its last update; empty before the first."""
    check_machine: Callable[[int, float], None]
    """To be called with the machine's memory in MB and its CPUs once they are known, before the first
    resource: raises pulumi.RunError when a setting asks for more than the machine has."""
