"""Builds programs from Go modules, pinned by go.sum: for networks that reach only package registries."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from tools.toolchain import apt
from tools.toolchain.console import Problem, run

_WANTED = (1, 26)
# renovate: datasource=golang-version depName=go
_WANTED_RELEASE = "go1.26.8"
_FETCHES_OTHERS = (1, 21)
"""From this version on, go gets a newer one of itself as a module."""

_BY_HAND = (
    "The builds need Go 1.26 or newer (Go 1.21 or newer gets it by itself; Debian 13: apt-get install\n"
    "golang-go), the Go module proxy, about 6 GB of disk for Go's caches and 2 GB of memory. With full\n"
    "internet none of this is needed: install Pulumi as https://www.pulumi.com/docs/install/ says, and run\n"
    "make again."
)


def environment() -> dict[str, str]:
    """The environment in which go builds the same on every machine.

    Raises Problem when there is no go that can.
    """
    found = _version()
    if found == (0,) and apt.may_install() and apt.candidate("golang-go") >= _FETCHES_OTHERS:
        apt.install(["golang-go"], usually="a minute", otherwise="")
        found = _version()
    if found < _FETCHES_OTHERS:
        have = "no go on PATH" if found == (0,) else f"go {'.'.join(map(str, found))}"
        raise Problem(f"Building from Go modules needs Go 1.26 or newer; there is {have}.\n{_BY_HAND}")
    env = {
        **os.environ,
        "CGO_ENABLED": "0",  # no C compiler needed, and the results run in any image
        "GOFLAGS": "-mod=readonly -buildvcs=false -trimpath",
        "GOWORK": "off",
    }
    if found < _WANTED:
        env["GOTOOLCHAIN"] = f"{_WANTED_RELEASE}+auto"
    return env


def build(module: Path, package: str, program: Path, *, variables: Sequence[str] = ()) -> None:
    """Build one program of a module. `variables` are set by the linker: `import/path.Name=value`."""
    flags = " ".join(["-s", "-w", *(f"-X {variable}" for variable in variables)])
    run(
        ["go", "build", "-ldflags", flags, "-o", program, package],
        cwd=module,
        env=environment(),
        by_hand=_BY_HAND,
    )


def source_of(dependency: str, module: Path) -> Path:
    """The folder with the source of a dependency of a module."""
    command = ["go", "list", "-m", "-f", "{{.Dir}}", dependency]
    return Path(run(command, cwd=module, env=environment(), by_hand=_BY_HAND).strip())


def _version() -> tuple[int, ...]:
    """The version of go itself, not of one that go.mod would make it fetch; (0,) without go."""
    if shutil.which("go") is None:
        return (0,)
    text = run(["go", "version"], env={**os.environ, "GOTOOLCHAIN": "local"}, by_hand=_BY_HAND)
    found = re.search(r"go(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0,)
