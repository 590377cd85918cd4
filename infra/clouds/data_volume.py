"""The disk that outlives its machine, and its stack: which one a stack takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from infra.stack.faults import Fault
from infra.stack.stack_file import wrong


def refuse_to_shrink(wanted_gb: int, there_gb: int | None) -> None:
    """Raise pulumi.RunError when a volume would have to become smaller."""
    if there_gb is not None and wanted_gb < there_gb:
        fault = Fault(
            "cloud.dataGb", f"the data volume has {there_gb} GB and volumes never shrink; set at least that"
        )
        raise wrong([fault])


def size_gb(volume: Mapping[str, Any] | None) -> int | None:
    """The size in GB that the state knows of a volume."""
    return None if volume is None or volume.get("size") is None else int(volume["size"])


def tell_of_adoption(name: str, identity: str, *, named: bool) -> None:
    """Say that a volume is taken over, and how to start without it."""
    if named:
        pulumi.log.info(f"the data volume {identity} is taken over as it is, with all that is on it")
    else:
        pulumi.log.info(
            f"an earlier deployment of this stack left the data volume {name} ({identity}): it is taken over "
            "as it is, with all that is on it. To start without it, rename or delete it in the cloud first"
        )


def options(*, keep: bool, adopt: str | None, fixed: list[str]) -> pulumi.ResourceOptions:
    """How Pulumi handles the volume.

    :param keep: leave it where it is when the stack is destroyed.
    :param adopt: the id of a volume that becomes the stack's.
    :param fixed: inputs whose change would make a new, empty volume: they stay what they were.
    """
    return pulumi.ResourceOptions(import_=adopt, retain_on_delete=keep, ignore_changes=fixed)
