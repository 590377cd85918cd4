"""What the stack's state holds before this run: also after an update that failed half-way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi


def resources() -> Mapping[str, Mapping[str, Any]]:
    """The stack's resources by URN, each with its type and outputs; empty before the first update."""
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    answer = pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {"stackName": name})
    return (answer.value or {}).get("outputs") or {}


def outputs_of(resource_type: str, name: str) -> Mapping[str, Any] | None:
    """The outputs of one resource, or None when the stack has none such yet."""
    for urn, resource in resources().items():
        if resource.get("type") == resource_type and urn.endswith(f"::{name}"):
            return resource.get("outputs") or {}
    return None
