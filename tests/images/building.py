"""Our images on this machine's engine, as the program would build them, and containers of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from infra.engine import Engine, EngineError
from infra.images.contexts import own_context, proxy_context
from infra.images.versions import BASE_IMAGE, CADDY_IMAGE

ENGINE = Engine()

_BUILD_S = 1800

_STUB = Path(__file__).parent / "stub"

DROPPED = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges:true")
"""What every container of ours is started with."""


def base_image() -> str:
    """The Debian image that ours start from."""
    return os.environ.get("CYBERHUBS_BASE_IMAGE") or BASE_IMAGE


@cache
def image(name: str) -> str:
    """An image of ours under the name that the program gives it; built unless the engine has it."""
    context = proxy_context() if name == "proxy" else own_context(name)
    known = {"BASE": base_image(), "CADDY_IMAGE": CADDY_IMAGE}
    if "COREHUB" in context.wants:
        known["COREHUB"] = image("corehub")
    arguments = {key: value for key, value in known.items() if key in context.wants}
    reference = f"cyberhubs/{name}:{context.digest(arguments)}"
    if not on_engine(reference):
        build(reference, context.folder, context.dockerfile, **arguments)
    return reference


def on_engine(reference: str) -> bool:
    """Whether the engine has an image."""
    try:
        ENGINE.run("image", "inspect", "--format", "{{.Id}}", reference)
    except EngineError:
        return False
    return True


def build(reference: str, folder: Path, dockerfile: str = "Dockerfile", **arguments: str) -> None:
    """Build an image."""
    words = [word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")]
    file = str(folder / dockerfile)
    ENGINE.run("build", "--tag", reference, "--file", file, *words, str(folder), seconds=_BUILD_S)


def build_stub(folder: Path, reference: str = "cyberhubs/stub") -> str:
    """Build the image of a stand-in for a user's server, which answers and echoes; its name.

    :param folder: an empty one, for the build.
    """
    shutil.copy2(_STUB / "Dockerfile", folder)
    build_stub_program(folder)
    build(reference, folder)
    return reference


def build_stub_program(folder: Path) -> None:
    """Build the program `stub` in a folder."""
    words = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(folder / "stub"), "."]
    subprocess.run(words, cwd=_STUB, env={**os.environ, "CGO_ENABLED": "0"}, check=True)


@contextmanager
def running(name: str, *words: str) -> Iterator[str]:
    """A container of this name while the block runs: `docker run` with these words."""
    remove(name)
    try:
        ENGINE.run("run", "--detach", "--name", name, *words)
        yield name
    finally:
        remove(name)


def remove(name: str) -> None:
    """Have no container of this name."""
    if ENGINE.run("ps", "--all", "--quiet", "--filter", f"name=^{name}$"):
        ENGINE.run("rm", "--force", "--volumes", name)


@contextmanager
def network(name: str, *words: str) -> Iterator[str]:
    """A network while the block runs."""
    if ENGINE.run("network", "ls", "--quiet", "--filter", f"name=^{name}$"):
        ENGINE.run("network", "rm", name)
    ENGINE.run("network", "create", *words, name)
    try:
        yield name
    finally:
        ENGINE.run("network", "rm", name)


def refusal(*words: str) -> str:
    """What `docker run` with these words says when it ends with an error. Fails when it does not."""
    try:
        said = ENGINE.run("run", "--rm", *words, seconds=60)
    except EngineError as error:
        return str(error)
    raise AssertionError(f"it started: {said}")


def log(container: str) -> str:
    """All that a container has said, on both of its outputs."""
    return subprocess.run(
        ENGINE.command("logs", container),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    ).stdout


def inside(container: str, *words: str, seconds: int = 60) -> str:
    """What a command prints that runs in a container."""
    return ENGINE.run("exec", container, *words, seconds=seconds)


def inspect(what: str) -> dict[str, Any]:
    """All that Docker knows of a container or an image."""
    found: dict[str, Any] = json.loads(ENGINE.run("inspect", what))[0]
    return found


def process(container: str, pattern: str, file: str, user: str = "0") -> dict[str, str]:
    """What the kernel says in a file of /proc of the first process whose command line matches."""
    script = (
        "for each in /proc/[0-9]*; do"
        "  if tr '\\0' ' ' <$each/cmdline 2>/dev/null | grep -q -- \"$1\"; then cat $each/$2; exit; fi; "
        "done; echo no such process >&2; exit 1"
    )
    # Root may not look into a process of somebody else without the right to trace it.
    text = ENGINE.run("exec", "--user", user, container, "sh", "-c", script, "sh", f"^{pattern}", file)
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def no_rights(container: str, pattern: str) -> bool:
    """Whether a process has no capability, and no way to one."""
    status = process(container, pattern, "status")
    sets = [status[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")]
    return status["NoNewPrivs"] == "1" and all(int(each, 16) == 0 for each in sets)


def anonymous_mb(container: str, pattern: str) -> float:
    """Memory of a process that is its own: not files that it has mapped."""
    return int(process(container, pattern, "smaps_rollup", "1000")["Anonymous"].split()[0]) / 1024


def until(true: Callable[[], bool], what: str, within_s: float = 60) -> float:
    """Seconds until something is so. Fails, saying what is missing, when it takes longer."""
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > within_s:
            raise AssertionError(f"after {within_s} s still not: {what}")
        time.sleep(0.2)
    return time.monotonic() - begun
