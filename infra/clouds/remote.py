"""What every machine that is reached over SSH shares."""

from __future__ import annotations

import pulumi

from infra import readiness
from infra.host import Host, Ssh


def remote_host(
    *,
    address: pulumi.Input[str],
    machine: pulumi.CustomResource,
    ssh: Ssh,
    memory_mb: int,
    cpus: int,
    data_dir: str = "/mnt",
) -> Host:
    """The Host of a virtual machine; its Docker address is known once first boot is done."""
    return Host(
        address=address,
        ssh=ssh,
        docker_host=readiness.wait(ssh, address, machine_id=machine.id),
        data_dir=data_dir,
        memory_mb=memory_mb,
        cpus=cpus,
        machine=machine,
    )
