"""This machine's own Docker engine as a host."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pulumi

from hubconfig import labels
from infra.clouds.context import Context
from infra.engine import EngineError, local_engine
from infra.host import Host
from infra.site.addresses import addresses
from infra.stack.clouds import LocalCloud
from infra.stack.faults import Fault

_MB = 1024 * 1024


def data_dir(cloud: LocalCloud, stack: str) -> Path:
    """Where users' files live on this machine."""
    return Path(cloud.data_dir or f"~/cyberhubs-data/{stack}").expanduser().absolute()


def local_host(cloud: LocalCloud, context: Context) -> Host:
    """The machine at hand. Raises pulumi.RunError when its Docker engine does not answer."""
    engine = local_engine()
    try:
        info = engine.info()
    except EngineError as error:
        raise pulumi.RunError(
            f"Docker does not answer: {error}\n"
            "Start Docker (on a server: systemctl start docker; `make up` installs it on Debian and Ubuntu)."
        ) from None
    memory_mb, cpus = info["MemTotal"] // _MB, info["NCPU"]
    context.check_machine(memory_mb, cpus, None)  # the stack file's checks looked at the folder
    return Host(
        address="localhost" if cloud.bind.startswith("127.") else cloud.bind,
        ssh=None,
        docker_host=engine.docker_host,
        data_dir=str(data_dir(cloud, context.stack)),
        memory_mb=memory_mb,
        cpus=cpus,
        http_port=cloud.http_port,
        https_port=cloud.https_port,
        bind=cloud.bind,
    )


def local_faults(cloud: LocalCloud, stack: str) -> Sequence[Fault]:
    """What stands in the way of a hub on this machine: ports that are taken, a folder nobody may write."""
    return [*_port_faults(cloud, stack), *_folder_faults(data_dir(cloud, stack))]


def subnet_faults(subnet: str | None, stack: str) -> Sequence[Fault]:
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
