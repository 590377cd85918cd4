"""Any Linux machine that is reached over SSH, prepared by the script that the clouds' first boot runs."""

from __future__ import annotations

from typing import Final

import pulumi

from infra.host import Host, Ssh
from infra.machine import keys, readiness, systems
from infra.machine.capacity import Capacity
from infra.machine.filesystem import Filesystem
from infra.machine.first_boot import FirstBoot
from infra.machine.machine import Machine
from infra.remote_shell import CommandError
from infra.stack.clouds import ServerCloud

_FACTS: Final = """\
cat /etc/os-release 2>/dev/null
echo {end}
cat /etc/machine-id
awk '/^MemTotal:/ {{ print int($2 / 1024) }}' /proc/meminfo
nproc
folder={folder}
while [ ! -e "$folder" ]; do folder=$(dirname "$folder"); done
findmnt --noheadings --output FSTYPE,OPTIONS {which} "$folder" | tail -n 1
"""
"""The last line is missing where a disk is still to be mounted."""

_END_OF_RELEASE: Final = "-- end of os-release"


class ServerMachine(pulumi.ComponentResource):
    """Somebody's own machine. Nothing is made or deleted but what the hub itself needs on it."""

    capacity: Capacity

    def __init__(self, name: str, cloud: ServerCloud, opts: pulumi.ResourceOptions | None = None) -> None:
        """Check that the machine lets us in, and ask what it has.

        Raises pulumi.RunError when it does not answer, refuses the key, shows another host key, gives
        no root rights, or has a system that is too old or unknown.
        """
        super().__init__("cyberhubs:index:ServerMachine", name, None, opts)
        self._prefix = name
        self._cloud = cloud
        self._ssh = Ssh(
            user=cloud.ssh_user,
            key_file=keys.given_key(cloud.ssh_key_file).file,
            host_key=cloud.host_key,
            port=cloud.ssh_port,
        )
        self._machine_id, self.capacity = _facts(Machine(self._ssh, cloud.address), cloud)

    def build(self) -> Host:
        """Have it prepared by the update."""
        cloud, ssh, machine_id = self._cloud, self._ssh, self._machine_id
        first_boot = FirstBoot(
            user=cloud.ssh_user,
            data_dir=cloud.data_dir,
            data_disk=(cloud.data_device,) if cloud.data_device else (),
            ours_alone=False,
        )
        identity = pulumi.Stash(
            f"{self._prefix}-identity",
            input=machine_id,
            opts=pulumi.ResourceOptions(parent=self, replacement_trigger=machine_id),
        )
        self.register_outputs({"address": cloud.address})
        return Host(
            address=cloud.address,
            ssh=ssh,
            docker_host=readiness.wait(ssh, cloud.address, machine_id=machine_id, first_boot=first_boot),
            data_dir=cloud.data_dir,
            memory_mb=self.capacity.memory_mb,
            cpus=self.capacity.cpus,
            http_port=cloud.http_port,
            https_port=cloud.https_port,
            identity=identity,
        )


def _facts(machine: Machine, cloud: ServerCloud) -> tuple[str, Capacity]:
    """Which installation of Linux it is, and what it holds."""
    readiness.check_access(machine)
    which = "--mountpoint" if cloud.data_device else "--target"
    try:
        told = machine.run(
            _FACTS.format(folder=cloud.data_dir, which=which, end=_END_OF_RELEASE), as_root=True
        )
    except CommandError as error:
        raise pulumi.RunError(
            f"{machine.ssh.user} may not become root on {machine.address}: {error}\n"
            "Use root as cloud.sshUser, or a user who may sudo without a password."
        ) from None
    release, _, rest = told.partition(f"{_END_OF_RELEASE}\n")
    if refusal := systems.refusal(release):
        raise pulumi.RunError(f"cloud.address: {cloud.address}: {refusal}. Nothing on it was changed.")
    machine_id, memory_mb, cpus, *data = rest.splitlines()
    return machine_id, Capacity(int(memory_mb), int(cpus), Filesystem.of_words(" ".join(data)))
