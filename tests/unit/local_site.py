"""A preview of the local stack, with nothing asked of Docker but what it is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import resource

from infra.checks import this_computer
from infra.engine import Engine
from infra.machine.filesystem import Filesystem
from infra.program import main
from tests.unit.engine import Run, run, texts

LOCAL: dict[str, Any] = {"kind": "local"}
GITHUB = {"oauthClientId": "the-client-id", "oauthClientSecret": "THE-CLIENT-SECRET"}
LIMITED = {"hub": {"auth": {"kind": "sharedPassword"}, "limits": {"homeGb": 20}}}
COUNTING = Filesystem("ext4", frozenset({"rw", "prjquota"}))


class _Callbacks:
    def register_resource_hook(self, _: object) -> None:
        pass


async def _callbacks() -> _Callbacks:
    return _Callbacks()


def deploy(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    config: dict[str, Any] | None = None,
    **more: Any,
) -> Run:
    """A preview of the local stack: nothing is asked of Docker but what it is."""
    monkeypatch.setattr(Engine, "info", lambda _: {"MemTotal": 8 * 1024**3, "NCPU": 4})
    monkeypatch.setattr(Engine, "run", lambda *_, **__: "unix:///var/run/docker.sock")
    monkeypatch.setattr(this_computer, "_free", lambda *_: True)
    # A hook is a callback from the engine, which the recording one has no need for.
    monkeypatch.setattr(resource, "_get_callbacks", _callbacks)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    settings = {"hub": {"auth": {"kind": "sharedPassword"}, "admins": ["admin"]}, **(config or {})}
    settings["cloud"] = {**LOCAL, "dataDir": str(tmp_path / "data"), **settings.get("cloud", {})}
    return run(main, settings, preview=True, **{"stack": "s", **more})


def containers(site: Run) -> dict[str, Any]:
    """The containers, by their resources' names."""
    return {one.name: one for one in site.all(":Container")}


def exported() -> dict[str, Any]:
    """The stack's outputs of the last run."""
    stack: Any = pulumi.runtime.get_root_resource()
    loop = asyncio.get_event_loop()
    return {
        name: loop.run_until_complete(pulumi.Output.from_input(value).future())
        for name, value in stack.outputs.items()
    }


def envelope_free(site: Run) -> str:
    """All text that the engine is sent outside the envelope of a secret."""
    return "\n".join(text for one in site.asked for text in texts(one.sent))
