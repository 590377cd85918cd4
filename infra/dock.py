"""What all containers of a site have in common."""

from __future__ import annotations

import pulumi_docker as docker

from hubconfig import labels

LOG_LIMITS = {"max-size": "10m", "max-file": "3"}
"""30 MB of log a container; said here because the engine's default would else show as a change."""


def container_labels(
    stack: str, role: labels.Role, hub: str | None = None
) -> list[docker.ContainerLabelArgs]:
    """Labels of a container of ours."""
    known = labels.labels(stack, role, hub=hub)
    return [docker.ContainerLabelArgs(label=label, value=value) for label, value in sorted(known.items())]
