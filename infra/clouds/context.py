"""What a cloud may know of the stack it has a machine for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Context:
    """The stack, beside its cloud settings."""

    project: str
    stack: str
    hostname: str | None
    """The hub's DNS name, for a cloud that can make its record."""
