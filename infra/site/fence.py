"""The firewall of users' servers."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_docker as docker

from hubconfig import container
from infra.dock import Dock
from infra.host import Host
from infra.site import bounds
from infra.site.addresses import Addresses


def fence(
    dock: Dock,
    host: Host,
    network: docker.Network,
    addresses: Addresses,
    hubs: Sequence[str],
    image: pulumi.Output[str],
    per_address: int,
) -> docker.Container:
    """Guard what users' servers reach.

    :param hubs: the hubs' addresses.
    :param per_address: connections that an address outside may have at once; 0: any number.
    """
    return dock.container(
        "fence",
        "fence",
        docker.ContainerArgs(
            name=dock.names.fence,
            image=image,
            memory=bounds.FENCE.memory_mb(host.memory_mb),
            memory_swap=bounds.FENCE.with_swap_mb(host.memory_mb),
            init=True,
            # The firewall is the machine's, not the container's.
            network_mode="host",
            read_only=True,
            tmpfs={"/run": "mode=0755,size=1m"},
            envs=[
                f"BRIDGE={dock.names.bridge}",
                f"SUBNET={addresses.network}",
                f"HUB_ADDRESS={' '.join(hubs)}",
                f"HUB_PORT={container.HUB_PORT}",
                f"PROXY_ADDRESS={addresses.proxy}",
                f"PROXY_PORTS={container.PROXY_HTTP_PORT} {container.PROXY_HTTPS_PORT}",
                f"PUBLIC_PORTS={host.http_port} {host.https_port}",
                f"PER_ADDRESS={per_address}",
            ],
            # Without it the provider kills, and the fence could not take its rules away.
            destroy_grace_seconds=5,
        ),
        rights=["NET_ADMIN", "NET_RAW"],
        opts=pulumi.ResourceOptions(depends_on=[network]),
    )
