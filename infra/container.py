"""What all containers of a site have in common."""

from __future__ import annotations

import pulumi_docker as docker

from infra.labels import HUB_LABEL, ROLE_LABEL, STACK_LABEL

LOG_LIMITS = {"max-size": "10m", "max-file": "3"}
"""30 MB of log a container; said here because the engine's default would else show as a change."""


def container_labels(stack: str, role: str, hub: str | None = None) -> list[docker.ContainerLabelArgs]:
    """Labels of a container of ours."""
    labels = {STACK_LABEL: stack, ROLE_LABEL: role, **({HUB_LABEL: hub} if hub else {})}
    return [docker.ContainerLabelArgs(label=label, value=value) for label, value in sorted(labels.items())]
