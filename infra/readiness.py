"""Waits until a machine is prepared and its Docker engine answers."""

from __future__ import annotations

import pulumi

from infra.host import Ssh


def wait(ssh: Ssh, address: pulumi.Input[str], *, machine_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Docker's address, once first boot is done and Docker answers there.

    A preview does not wait: the address is unknown there until the machine is ready. Raises
    pulumi.RunError that tells an unreachable machine from a refused key, a wrong host key and a first
    boot that failed.
    :param machine_id: the machine's id in its cloud; a new machine is waited for anew, also at an
        address that the stack has already.
    """
    raise NotImplementedError
