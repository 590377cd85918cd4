"""This machine's own Docker engine as a host."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.clouds import own_engine
from infra.clouds.context import Context
from infra.engine import Engine, EngineError, local_engine
from infra.host import Host
from infra.machine.capacity import Capacity
from infra.stack.clouds import LocalCloud

_MB = 1024 * 1024


@dataclass(frozen=True)
class ThisComputer:
    """The machine at hand, of which nothing has to be made."""

    capacity: Capacity
    """Without the data folder: the stack file's checks look at that here."""
    _engine: Engine
    _cloud: LocalCloud
    _stack: str

    def build(self) -> Host:
        """The machine as it is."""
        cloud = self._cloud
        return Host(
            address="localhost" if cloud.bind.startswith("127.") else cloud.bind,
            ssh=None,
            docker_host=self._engine.docker_host,
            data_dir=cloud.data_path(self._stack),
            memory_mb=self.capacity.memory_mb,
            cpus=self.capacity.cpus,
            http_port=cloud.http_port,
            https_port=cloud.https_port,
            bind=cloud.bind,
        )


def this_computer(cloud: LocalCloud, context: Context) -> ThisComputer:
    """The machine at hand. Raises pulumi.RunError when its Docker engine does not answer, or is not fit."""
    engine = local_engine()
    try:
        info = engine.info()
        refusal = own_engine.refusal(engine, info)
    except EngineError as error:
        raise pulumi.RunError(
            f"Docker does not answer: {error}\n"
            "Start Docker (on a server: systemctl start docker; `make up` installs it on Debian and Ubuntu)."
        ) from None
    if refusal:
        raise pulumi.RunError(f"cloud.kind: a local stack cannot be here: {refusal}")
    return ThisComputer(Capacity(info["MemTotal"] // _MB, info["NCPU"]), engine, cloud, context.stack)
