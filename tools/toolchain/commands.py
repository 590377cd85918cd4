"""The commands behind `make`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping

from tools.toolchain import apt, base_image, browser, engine, programs, pulumi, stacks, venv
from tools.toolchain.console import Problem, say


def _toolchain() -> None:
    venv.ensure(development=False)
    pulumi.ensure()
    stacks.ensure()


def _engine() -> None:
    engine.ensure()
    base_image.ensure()


_PREPARE: Mapping[str, tuple[str, Callable[[], None]]] = {
    "venv": ("the Python packages of the program", lambda: venv.ensure(development=False)),
    "venv-dev": ("the Python packages of the tests too", lambda: venv.ensure(development=True)),
    "toolchain": ("the Python packages of the program, Pulumi and its plug-ins", _toolchain),
    "engine": ("a Docker engine and the base image", _engine),
    "browser": ("Chromium and its driver, for the tests", browser.ensure),
    "shellcheck": ("shellcheck, for `make check`", apt.ensure_shellcheck),
    "pebble": ("an ACME authority for the tests; prints the folder", lambda: say(str(programs.pebble()))),
}


def main() -> None:
    """Run the command that the arguments name; a problem ends it in words, without a traceback."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.toolchain", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (text, _) in _PREPARE.items():
        commands.add_parser(name, help=text)
    arguments = parser.parse_args()
    try:
        _PREPARE[arguments.command][1]()
    except Problem as problem:
        sys.exit(f"\n{problem}")
    except KeyboardInterrupt:
        sys.exit(130)
