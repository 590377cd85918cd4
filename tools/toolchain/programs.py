"""Programs other than Pulumi that are built from Go modules, each in a folder of the cache."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.toolchain import golang
from tools.toolchain.cache import build_once, key_of
from tools.toolchain.console import step
from tools.toolchain.places import ROOT


def caddy() -> Path:
    """The Caddy for the proxy's image, where its own image cannot be pulled."""
    module = "github.com/caddyserver/caddy/v2"
    required = re.search(rf"{module} (v\S+)", (ROOT / "tools" / "caddy" / "go.mod").read_text())
    assert required is not None  # noqa: S101 - it is what that file is for
    variables = [f"{module}.CustomVersion={required[1]}"]
    return _program("caddy", {"caddy": f"{module}/cmd/caddy"}, variables, usually="2 minutes") / "caddy"


def pebble() -> Path:
    """A folder with `pebble` and `pebble-challtestsrv`: the ACME authority of the tests and its DNS."""
    commands = "github.com/letsencrypt/pebble/v2/cmd"
    packages = {name: f"{commands}/{name}" for name in ("pebble", "pebble-challtestsrv")}
    return _program("pebble", packages, [], usually="half a minute")


def _program(name: str, packages: Mapping[str, str], variables: Sequence[str], *, usually: str) -> Path:
    module = ROOT / "tools" / name

    def build(folder: Path) -> None:
        with step(f"Building {name} from Go modules, once", usually):
            for program, package in packages.items():
                golang.build(module, package, folder / program, variables=variables)

    return build_once(name, key_of(module.glob("go.*"), *variables), build)
