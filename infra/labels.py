"""What every resource of a stack carries, so that people and scripts can tell whose it is."""

from __future__ import annotations

from typing import Final

STACK_LABEL: Final = "cyberhubs.stack"
"""Docker label with the stack's name, on all that is ours, users' servers too."""

ROLE_LABEL: Final = "cyberhubs.role"
"""Docker label that says what a container is: proxy, hub, fence or user."""

HUB_LABEL: Final = "cyberhubs.hub"
"""Docker label with the hub's name, on hubs and users' servers."""


def tags(project: str, stack: str) -> dict[str, str]:
    """A cloud's tags for a resource of this stack."""
    return {"project": project, "stack": stack, "managed-by": "pulumi"}
