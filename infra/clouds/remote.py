"""What every machine that is made here and reached over SSH shares."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any, Final

import pulumi

from infra import readiness
from infra.host import Host, Ssh


DATA_DIR: Final = "/mnt"
"""Where the data volume is mounted, as on the hubs that were set up by hand."""


def remote_host(
    *,
    address: pulumi.Output[str],
    reached: pulumi.Output[Any],
    machine: pulumi.CustomResource,
    ssh: Ssh,
    memory_mb: int,
    cpus: int,
) -> Host:
    """The Host of a virtual machine; its Docker address is known once first boot is done.

    :param reached: known once the address leads to the machine and its disk is there.
    """
    leading = pulumi.Output.all(address, reached).apply(lambda known: str(known[0]))
    return Host(
        address=address,
        ssh=ssh,
        docker_host=readiness.wait(ssh, leading, machine_id=machine.id),
        data_dir=DATA_DIR,
        memory_mb=memory_mb,
        cpus=cpus,
        machine=machine,
    )


def tell_of_open_ssh(admin_cidrs: Sequence[str]) -> None:
    """Warn when the whole internet may try to sign in over SSH."""
    everybody = [cidr for cidr in admin_cidrs if ipaddress.ip_network(cidr).prefixlen == 0]
    if everybody:
        pulumi.log.warn(
            f"cloud.adminCidrs holds {' and '.join(everybody)}: port 22 is open to the whole internet. Only "
            "the stack's key gets in; to let only your own networks try, set it to them"
        )
