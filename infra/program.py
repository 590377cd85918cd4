"""Settings, then a machine, then the hubs on it: the only place that knows all three."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import pulumi

from hubconfig.names import FIRST_HUB
from infra import clouds
from infra.checks.access import untellable_entries
from infra.checks.backup import backup_faults
from infra.checks.certificate import tls_faults
from infra.checks.home_limits import local_home_faults, unlimitable
from infra.checks.limits import limits_above, unknown_builds
from infra.checks.spaces import space_faults
from infra.clouds.context import Context
from infra.clouds.local import local_faults, subnet_faults
from infra.machine.filesystem import Filesystem
from infra.site.site import Site
from infra.stack import state
from infra.stack.clouds import LocalCloud
from infra.stack.faults import Fault
from infra.stack.secrets import MADE_SECRETS, missing_secrets
from infra.stack.settings import Settings
from infra.stack.stack_file import Parts, load, wrong


def main() -> None:
    """Read the stack's settings, get its machine, put the hubs on it, export how to reach them."""
    config = pulumi.Config()
    stack = pulumi.get_stack()

    def local(parts: Parts) -> Sequence[Fault]:
        cloud = parts.get("cloud")
        if not isinstance(cloud, LocalCloud):
            return []
        network = parts.get("network")
        return [
            *local_faults(cloud, stack),
            *(subnet_faults(network.subnet, stack) if network else []),
            *local_home_faults(parts, stack),
        ]

    def backup(parts: Parts) -> Sequence[Fault]:
        return backup_faults(parts, stack)

    def spaces(parts: Parts) -> Sequence[Fault]:
        return space_faults(parts, stack)

    settings = load(
        config,
        [missing_secrets, unknown_builds, untellable_entries, spaces, tls_faults, backup, local],
    )
    # They hold what was made for the stack and must stay the same, passwords among it.
    previous = pulumi.Output.secret(dict(state.last_outputs()))
    host = clouds.build(
        settings.cloud,
        Context(
            project=pulumi.get_project(),
            stack=stack,
            hostname=settings.web.hostname,
            previous=previous,
            check_machine=lambda memory_mb, cpus, data: _check_machine(settings, memory_mb, cpus, data),
        ),
    )
    site = Site("site", host, settings, config=config, stack=stack, previous=previous)
    pulumi.export("url", site.url)
    pulumi.export("address", host.address)
    pulumi.export("dataDir", host.data_dir)
    pulumi.export("tls", settings.web.tls.kind)
    pulumi.export("admins", list(settings.hub.admins))
    for hub, url in site.callback_urls.items():
        pulumi.export("callbackUrl" if hub == FIRST_HUB else f"callbackUrl-{hub}", url)
    if host.ssh is not None:
        ssh = host.ssh
        words = pulumi.Output.from_input(host.address).apply(lambda address: shlex.join(ssh.command(address)))
        pulumi.export("ssh", words)
        pulumi.export("sshUser", ssh.user)
        pulumi.export("sshPort", ssh.port)
        pulumi.export("sshKeyFile", ssh.key_file)
        pulumi.export("hostKey", host.ssh.host_key)
    if isinstance(host.machine, pulumi.CustomResource):
        pulumi.export("machineId", host.machine.id)
    for file, key in MADE_SECRETS.items():
        if file in site.secrets:
            pulumi.export(key, site.secrets[file])


def _check_machine(settings: Settings, memory_mb: int, cpus: float, data: Filesystem | None) -> None:
    faults = limits_above(settings, memory_mb, cpus) + unlimitable(
        settings.every_hub, "the data folder", data
    )
    if faults:
        raise wrong(faults)
