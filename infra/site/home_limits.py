"""The container that keeps homes within `limits.homeGb`."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pulumi
import pulumi_docker as docker

from hubconfig.homes.limits import READY
from infra.dock import Dock, code_uploads
from infra.engine import Engine, EngineError, MissingError, UnreachableError
from infra.site.answering import is_fresh, state

_CODE = ("homes/limits.py", "homes/projects.py", "homes/tree.py")
"""All that the container runs; Python takes a folder of such files for a package."""

_NEW_SECONDS = 60
"""It takes one second, and some milliseconds for each home."""


def home_limits_container(
    dock: Dock, homes: Mapping[str, tuple[str, float]], image: pulumi.Output[str]
) -> pulumi.Output[str]:
    """Keep homes within their limits; the container's id, once they are.

    To limit is to administer the system: this container alone may, and it has nothing else that is worth
    having. It runs the hub's image, so that no other is built and kept.
    :param homes: hub to the folder of its homes on the machine, and the GB of each.
    """
    limits = dock.container(
        "home-limits",
        "home-limits",
        _arguments(dock.names.home_limits, homes, image),
        # To open homes and to mark what others own, also beyond its own limit; and to set limits.
        rights=["DAC_READ_SEARCH", "FOWNER", "SYS_ADMIN", "SYS_RESOURCE"],
        # One that ends says why in its log, which the provider would not show.
        must_run=False,
    )

    def wait(engine: Engine, identity: str) -> str:
        _wait(engine, dock.names.home_limits)
        return identity

    return dock.once(limits.id, wait, lambda _: "whether homes have their limits is not known")


def _arguments(
    name: str, homes: Mapping[str, tuple[str, float]], image: pulumi.Output[str]
) -> docker.ContainerArgs:
    return docker.ContainerArgs(
        name=name,
        image=image,
        init=True,
        network_mode="none",
        tmpfs={"/run": "mode=0755,size=1m"},
        entrypoints=["python3", "-m", "hubconfig.homes.limits"],
        command=[f"/homes/{hub}={gb:g}" for hub, (_, gb) in sorted(homes.items())],
        volumes=[
            docker.ContainerVolumeArgs(host_path=folder, container_path=f"/homes/{hub}")
            for hub, (folder, _) in sorted(homes.items())
        ],
        uploads=code_uploads(_CODE),
        # So that it can lift the limits.
        destroy_grace_seconds=10,
    )


def _wait(engine: Engine, name: str) -> None:
    # As with a hub: what this run did not start is no reason to fail it, or nothing could be destroyed.
    fresh = is_fresh(engine, name)
    deadline = time.monotonic() + (_NEW_SECONDS if fresh else 0)
    while True:
        try:
            engine.run("exec", name, "test", "-e", str(READY))
        except (MissingError, UnreachableError):
            raise
        except EngineError:
            running, log = state(engine, name)
            if time.monotonic() < deadline and (running or not log):
                time.sleep(0.3)
                continue
            msg = f"homes have no limits, so no server starts; the last lines of the log of {name}:\n{log}"
            if fresh:
                raise pulumi.RunError(msg) from None
            pulumi.log.warn(msg)
        return
