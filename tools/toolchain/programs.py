"""Programs other than Pulumi that are built from Go modules, each in a folder of the cache."""

from __future__ import annotations

from pathlib import Path

from tools.toolchain import golang
from tools.toolchain.cache import build_once, key_of
from tools.toolchain.console import step
from tools.toolchain.places import ROOT


def caddy() -> Path:
    """The Caddy for the proxy's image, where its own image cannot be pulled."""
    return _program("caddy", {"caddy": "github.com/caddyserver/caddy/v2/cmd/caddy"}, "2 minutes") / "caddy"


def pebble() -> Path:
    """A folder with `pebble` and `pebble-challtestsrv`: the ACME authority of the tests and its DNS."""
    commands = "github.com/letsencrypt/pebble/v2/cmd"
    programs = {name: f"{commands}/{name}" for name in ("pebble", "pebble-challtestsrv")}
    return _program("pebble", programs, "half a minute")


def _program(name: str, packages: dict[str, str], usually: str) -> Path:
    module = ROOT / "tools" / name

    def build(folder: Path) -> None:
        with step(f"Building {name} from Go modules, once", usually):
            for program, package in packages.items():
                golang.build(module, package, folder / program)

    return build_once(name, key_of(module.glob("go.*")), build)
