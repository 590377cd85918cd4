"""What the stack's state holds before this run: also after an update that failed half-way."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import pulumi

_PATIENCE_SECONDS: Final = 5.0

_PAUSE_SECONDS: Final = 0.1


def resources() -> Mapping[str, Mapping[str, Any]]:
    """The stack's resources by URN, each with its type and outputs; empty before the first update."""
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            answer = pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {"stackName": name})
        except Exception as error:
            # The engine writes the state while the program runs, and a state in a file may be read
            # half-written (seen: "failed to load checkpoint: EOF").
            if "failed to load checkpoint" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return (answer.value or {}).get("outputs") or {}


def last_outputs() -> Mapping[str, Any]:
    """The stack's own outputs of its last update, secrets opened; empty before the first."""
    for resource in resources().values():
        if resource.get("type") == "pulumi:pulumi:Stack":
            return resource.get("outputs") or {}
    return {}
