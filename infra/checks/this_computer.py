"""What stands in the way of a hub on this computer: ports, folders and networks that are taken."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from hubconfig import labels
from infra.engine import EngineError, local_engine
from infra.site.addresses import addresses
from infra.stack.clouds import LocalCloud
from infra.stack.faults import Fault
from infra.stack.sections import Sections


def faults(sections: Sections) -> Sequence[Fault]:
    """What a stack on this computer cannot have of it."""
    cloud, network, stack = sections.cloud, sections.network, sections.stack
    if not isinstance(cloud, LocalCloud):
        return []
    return [
        *_port_faults(cloud, stack),
        *_folder_faults(Path(cloud.data_path(stack))),
        *(_subnet_faults(network.subnet, stack) if network else []),
    ]


def _subnet_faults(subnet: str | None, stack: str) -> list[Fault]:
    """Another network of this machine's Docker that has our addresses; Docker's own words name none."""
    wanted = addresses(subnet, stack).network
    engine = local_engine()
    try:
        numbers = engine.run("network", "ls", "--quiet").split()
        form = (
            '{{.Name}}\t{{index .Labels "'
            + labels.STACK
            + '"}}\t{{range .IPAM.Config}}{{.Subnet}} {{end}}\tend'
        )
        lines = engine.run("network", "inspect", "--format", form, *numbers).splitlines()
    except EngineError:
        return []  # without Docker there is a clearer error to come
    return [
        Fault(
            "network.subnet",
            f"{wanted} is in use by Docker's network {name}; set another, such as 10.201.0.0/20",
        )
        for name, owner, others, _ in (line.split("\t") for line in lines if line.count("\t") == 3)
        if owner != stack
        for other in others.split()
        if ":" not in other and wanted.overlaps(ipaddress.IPv4Network(other))
    ]


def _port_faults(cloud: LocalCloud, stack: str) -> list[Fault]:
    wanted = {"cloud.httpPort": cloud.http_port, "cloud.httpsPort": cloud.https_port}
    return [
        Fault(key, f"port {port} of {cloud.bind} is taken by another program; stop it or set another port")
        for key, port in wanted.items()
        if not _free(cloud.bind, port) and not _held_by_our_proxy(stack, port)
    ]


def _free(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except PermissionError:
            return True  # a port below 1024: Docker may publish it though we may not
        except OSError:
            return False
    return True


def _held_by_our_proxy(stack: str, port: int) -> bool:
    try:
        return bool(
            local_engine().run(
                "ps",
                "--quiet",
                *("--filter", f"label={labels.STACK}={stack}"),
                *("--filter", f"publish={port}"),
            )
        )
    except EngineError:
        return True  # without Docker there is a clearer error to come than a taken port


def _folder_faults(folder: Path) -> list[Fault]:
    first: Callable[[Path], bool] = os.path.lexists
    existing = next(path for path in (folder, *folder.parents) if first(path))
    if not existing.is_dir():
        return [Fault("cloud.dataDir", f"{existing} is not a folder; name another place for users' files")]
    if not os.access(existing, os.W_OK | os.X_OK):
        return [
            Fault("cloud.dataDir", f"{existing} is not writable for you; name another place for users' files")
        ]
    return []
