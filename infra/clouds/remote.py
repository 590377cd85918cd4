"""What every machine that is made here and reached over SSH shares."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

import pulumi

from infra.host import Host, Ssh
from infra.machine import cloud_init, readiness
from infra.machine.capacity import Capacity
from infra.machine.first_boot import FirstBoot
from infra.machine.keys import Keys
from infra.stack.clouds import DATA_DIR


def remote_host(
    *,
    address: pulumi.Output[str],
    reached: pulumi.Output[Any],
    machine: pulumi.CustomResource,
    ssh: Ssh,
    capacity: Capacity,
    not_running: str | None,
) -> Host:
    """The Host of a virtual machine; its Docker address is known once first boot is done.

    :param reached: known once the address leads to the machine and its disk is there.
    :param not_running: the id of the machine that the stack had, when that is stopped or gone: nobody
        waits for it, so that the stack can be rebuilt or destroyed.
    """

    def docker_host(known: Sequence[Any]) -> pulumi.Output[str]:
        leading, _, machine_id = known
        if machine_id == not_running:
            return pulumi.Output.from_input(ssh.url(leading))
        return readiness.wait(ssh, leading, machine_id=machine_id)

    return Host(
        address=address,
        ssh=ssh,
        docker_host=pulumi.Output.all(address, reached, machine.id).apply(docker_host),
        data_dir=DATA_DIR,
        memory_mb=capacity.memory_mb,
        cpus=capacity.cpus,
        machine=machine,
    )


def user_data(
    volume_id: pulumi.Output[str],
    disk: Callable[[str], Sequence[str]],
    *,
    user: str,
    keys: Keys,
    limit_bytes: int,
) -> pulumi.Output[str]:
    """What a new machine is told at its first start. Secret: the machine's own private key is in it.

    :param disk: a volume's names under /dev by its id.
    :param user: the image's own.
    :param limit_bytes: what the cloud takes.
    """

    def text(known: str) -> str:
        return cloud_init.user_data(
            first_boot=FirstBoot(user=user, data_dir=DATA_DIR, data_disk=disk(known), ours_alone=True),
            operator_public_key=keys.operator.public,
            host_key=keys.host,
            limit_bytes=limit_bytes,
        )

    return pulumi.Output.secret(volume_id.apply(text))


def machine_options(*, fixed: list[str]) -> pulumi.ResourceOptions:
    """How Pulumi handles a machine, beside where it belongs.

    A machine that runs is not replaced because there is a newer image or our script has a new line; a new
    one, which takes all of that, comes with a new port.

    :param fixed: inputs beside `user_data` that stay what they were.
    """
    return pulumi.ResourceOptions(
        ignore_changes=["user_data", *fixed],
        # The port and the volume can be with one machine only.
        delete_before_replace=True,
        additional_secret_outputs=["user_data"],
        # A machine that has not started in ten minutes is not going to.
        custom_timeouts=pulumi.CustomTimeouts(create="10m", update="30m", delete="10m"),
    )


def tell_of_sleep(status: str | None, start: str) -> None:
    """Warn that the stack's machine does not run, and say what wakes it or replaces it.

    :param status: the cloud's word for how it is; None: it is no more.
    :param start: the command that starts it.
    """
    stack = pulumi.get_stack()
    if status is None:
        pulumi.log.warn(
            "the stack's machine is gone: it was deleted outside of this program. Users' files are on their "
            f"volume; `make rebuild STACK={stack}` makes a new machine with them, at the same address"
        )
    else:
        pulumi.log.warn(
            f"the stack's machine does not run (it is {status}); start it with `{start}`, or make a new one "
            f"with `make rebuild STACK={stack}`"
        )


def tell_of_open_ssh(admin_cidrs: Sequence[str]) -> None:
    """Warn when the whole internet may try to sign in over SSH."""
    everybody = [cidr for cidr in admin_cidrs if ipaddress.ip_network(cidr).prefixlen == 0]
    if everybody:
        pulumi.log.warn(
            f"cloud.adminCidrs holds {' and '.join(everybody)}: port 22 is open to the whole internet. Only "
            "the stack's key gets in; to let only your own networks try, set it to them"
        )
