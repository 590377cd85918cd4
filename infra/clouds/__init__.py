"""A package or module for each cloud; each turns its settings into a machine in its own way."""

from __future__ import annotations

from typing import assert_never

from infra.clouds.choice import Choice
from infra.clouds.context import Context
from infra.stack.clouds import AwsCloud, Cloud, LocalCloud, OpenStackCloud, ServerCloud


def choose(cloud: Cloud, context: Context) -> Choice:
    """What the cloud has of what the settings ask for; nothing is made.

    Raises pulumi.RunError with all that it has not.
    """
    # A cloud's SDK is imported in its own branch: a stack needs only its own.
    match cloud:
        case LocalCloud():
            from infra.clouds.local import this_computer

            return this_computer(cloud, context)
        case OpenStackCloud():
            from infra.clouds.openstack.machine import OpenStackMachine

            return OpenStackMachine("hub", cloud, context)
        case AwsCloud():
            from infra.clouds.aws.machine import AwsMachine

            return AwsMachine("hub", cloud, context)
        case ServerCloud():
            from infra.clouds.server import ServerMachine

            return ServerMachine("hub", cloud)
        case _:
            assert_never(cloud)
