"""This machine's own Docker engine as a host."""

from __future__ import annotations

import pulumi

from infra.clouds.context import Context
from infra.engine import EngineError, local_engine
from infra.host import Host
from infra.stack.clouds import LocalCloud

_MB = 1024 * 1024


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
        data_dir=cloud.data_path(context.stack),
        memory_mb=memory_mb,
        cpus=cpus,
        http_port=cloud.http_port,
        https_port=cloud.https_port,
        bind=cloud.bind,
    )
