"""Settings, then a machine, then the hubs on it: the only place that knows all three."""

from __future__ import annotations

import shlex

import pulumi

from hubconfig.names import FIRST_HUB
from infra import checks, clouds
from infra.clouds.context import Context
from infra.host import Host
from infra.images.contexts import tidy
from infra.site.site import Site
from infra.stack import secrets, stack_file, state
from infra.stack.sections import Sections
from infra.stack.settings import Settings


def main() -> None:
    """Read the stack's settings, get its machine, put the hubs on it, export how to reach them."""
    config, stack = pulumi.Config(), pulumi.get_stack()
    settings = stack_file.load(config, stack, checks.OF_SETTINGS)
    context = Context(project=pulumi.get_project(), stack=stack, hostname=settings.web.hostname)
    choice = clouds.choose(settings.cloud, context)
    stack_file.refuse(Sections.of(settings, stack, choice.capacity), checks.OF_MACHINE)
    host = choice.build()
    known = secrets.gather(config, settings, state.last_outputs())
    site = Site("site", host, settings, known)
    _export(settings, host, site)
    tidy()
    for key, value in known.made.items():
        pulumi.export(key, value)


def _export(settings: Settings, host: Host, site: Site) -> None:
    """Say how to reach the hubs, and the machine."""
    pulumi.export("url", site.url)
    pulumi.export("address", host.address)
    pulumi.export("dataDir", host.data_dir)
    pulumi.export("tls", settings.web.tls.kind)
    signs_in = {
        hub: {"kind": options.auth.kind, "admins": list(options.admins)}
        for hub, options in settings.every_hub.items()
    }
    pulumi.export("signIn", signs_in)
    for hub, url in site.callback_urls.items():
        pulumi.export("callbackUrl" if hub == FIRST_HUB else f"callbackUrl-{hub}", url)
    if host.ssh is not None:
        ssh = host.ssh
        words = pulumi.Output.from_input(host.address).apply(lambda address: shlex.join(ssh.command(address)))
        pulumi.export("ssh", words)
        pulumi.export("sshUser", ssh.user)
        pulumi.export("sshPort", ssh.port)
        pulumi.export("sshKeyFile", ssh.key_file)
        pulumi.export("hostKey", ssh.host_key)
    if isinstance(host.machine, pulumi.CustomResource):
        pulumi.export("machineId", host.machine.id)
