"""One module per cloud; each turns its settings into a Host in its own way."""

from __future__ import annotations

from typing import assert_never

from infra.clouds.context import Context
from infra.host import Host
from infra.stack.clouds import AwsCloud, Cloud, LocalCloud, OpenStackCloud, ServerCloud


def build(cloud: Cloud, context: Context) -> Host:
    """The machine that the settings ask for."""
    # A cloud's SDK is imported in its own branch: a stack needs only its own.
    match cloud:
        case LocalCloud():
            from infra.clouds.local import local_host

            return local_host(cloud, context)
        case OpenStackCloud():
            from infra.clouds.openstack.machine import OpenStackMachine

            return OpenStackMachine("hub", cloud, context).host
        case AwsCloud():
            from infra.clouds.aws.machine import AwsMachine

            return AwsMachine("hub", cloud, context).host
        case ServerCloud():
            from infra.clouds.server import ServerMachine

            return ServerMachine("hub", cloud, context).host
        case _:
            assert_never(cloud)
