"""The network of proxy, hubs and users' servers."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

from hubconfig import labels
from infra.dock import Dock
from infra.engine import Engine, EngineError
from infra.site.addresses import Addresses


def network(dock: Dock, addresses: Addresses, fence_image: pulumi.Output[str]) -> docker.Network:
    """The network, with which users' servers go.

    :param fence_image: what takes the firewall's rules away after them.
    """
    names = dock.names

    async def remove_user_servers(_: pulumi.ResourceHookArgs) -> None:
        # Users' servers are the hub's doing and not in the state; a network with servers on it
        # cannot be removed. Their files stay.
        engine = await dock.engine.future()
        if engine is not None:
            remove_servers(engine, dock.stack, names.bridge, await fence_image.future())

    hook = pulumi.ResourceHook("remove-user-servers", remove_user_servers)
    return docker.Network(
        "network",
        name=names.network,
        driver="bridge",
        ipam_configs=[
            docker.NetworkIpamConfigArgs(
                subnet=str(addresses.network), gateway=addresses.gateway, ip_range=addresses.users
            )
        ],
        options={
            # Containers do not reach each other; the fence lets hub and proxy through.
            "com.docker.network.bridge.enable_icc": "false",
            "com.docker.network.bridge.name": names.bridge,
        },
        labels=[docker.NetworkLabelArgs(label=labels.STACK, value=dock.stack)],
        opts=dock.with_options(
            pulumi.ResourceOptions(
                delete_before_replace=True, hooks=pulumi.ResourceHookBinding(before_delete=[hook])
            )
        ),
    )


def remove_servers(engine: Engine, stack: str, bridge: str, fence_image: str | None) -> None:
    """Remove a stack's servers, and then the rules that the fence left in place to guard them.

    What cannot be done is told only: the network's removal says whether it matters.
    """
    try:
        removed = engine.remove_containers(f"{labels.STACK}={stack}", f"{labels.ROLE}=user")
    except EngineError as error:
        pulumi.log.warn(f"users' servers were not removed: {error}")
        return
    if not removed or fence_image is None:
        return
    rights = ["--cap-drop", "ALL", "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW"]
    where = ["--network", "host", "--env", f"BRIDGE={bridge}"]
    try:
        engine.run("run", "--rm", *rights, *where, fence_image, "remove")
    except EngineError as error:
        pulumi.log.warn(
            f"the firewall's rules for {bridge} stay until the machine restarts; they have no effect: {error}"
        )
