"""Whether this computer's Docker engine is one that a hub can be put on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from hubconfig.container import DOCKER_SOCKET
from infra.engine import Engine, EngineError

_WAY_OUT: Final = "unset DOCKER_HOST, or choose this machine's own with `docker context use default`"


def refusal(engine: Engine, info: dict[str, Any]) -> str | None:
    """Why the engine that docker talks to here cannot run the local stack; None when it can.

    :param info: what it says of itself.

    Raises EngineError when it stops answering.
    """
    address = engine.docker_host or "Docker's own address"
    if engine.docker_host is not None and not address.startswith("unix:"):
        return (
            f"docker talks to an engine on another machine ({address}), whose folders and ports are not this "
            f"computer's: {_WAY_OUT}; for a hub on that machine use the stack `server` (docs/server.md)"
        )
    if "podman" in engine.run("version", "--format", "{{range .Server.Components}}{{.Name}} {{end}}").lower():
        return (
            f"what answers at {address} is Podman, whose networks do not keep users' servers apart: "
            f"install Docker, then {_WAY_OUT}"
        )
    if any("rootless" in str(each) for each in info.get("SecurityOptions") or []):
        return (
            f"the engine at {address} is a rootless Docker, which may not guard users' network nor give them "
            f"their homes: use a Docker that root runs (`sudo systemctl start docker`), and {_WAY_OUT}"
        )
    return None if "Docker Desktop" in str(info.get("OperatingSystem")) else _elsewhere(engine, info)


def _elsewhere(engine: Engine, info: dict[str, Any]) -> str | None:
    """The hub starts servers by the machine's socket, so that must lead to the same engine."""
    usual = f"unix://{DOCKER_SOCKET}"
    if engine.docker_host in (None, usual, "unix:///run/docker.sock"):
        return None
    try:
        other = replace(engine, docker_host=usual).info()
    except EngineError as error:
        return (
            f"docker talks to {engine.docker_host}; the hub needs that engine at {DOCKER_SOCKET}, where none "
            f"answers: {error}\nHave it listen there, too, or {_WAY_OUT}"
        )
    if other.get("ID") == info.get("ID"):
        return None
    return (
        f"there are two engines here: docker talks to {engine.docker_host}; the hub would start servers "
        f"on the one at {DOCKER_SOCKET}: {_WAY_OUT}"
    )
