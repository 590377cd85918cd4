"""The disk that outlives its machine, and its stack: which one a stack takes."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class Volume:
    """A volume that is there already."""

    id: str
    size_gb: int | None
    """None where nobody was asked."""


def name(stack: str) -> str:
    """What a stack's data volume is called: `destroy` keeps it, and the next deployment finds it by this."""
    return f"cyberhub-{stack}-data"


def tell_of_adoption(identity: str, name: str | None) -> None:
    """Say that a volume is taken over, and how to start without it.

    :param name: by which it was found; None: the settings name its id.
    """
    if name is None:
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
