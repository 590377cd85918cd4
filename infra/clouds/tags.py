"""What every resource in a cloud carries, so that people and scripts can tell whose it is."""

from __future__ import annotations


def tags(project: str, stack: str) -> dict[str, str]:
    """A cloud's tags for a resource of this stack."""
    return {"project": project, "stack": stack, "managed-by": "pulumi"}
