"""The commands behind `make`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping

from tools.stacks import backup, machine, publishing, recovery, stack, status
from tools.toolchain import apt, base_image, browser, engine, programs, pulumi, venv
from tools.toolchain.console import Problem, say


def _toolchain() -> None:
    venv.ensure(development=False)
    pulumi.ensure()


def _engine() -> None:
    engine.ensure()
    base_image.ensure()


def _engine_for(name: str) -> None:
    if stack.needs_engine(name):
        _engine()


_PREPARE: Mapping[str, tuple[str, Callable[[], None]]] = {
    "venv": ("the Python packages of the program", lambda: venv.ensure(development=False)),
    "venv-dev": ("the Python packages of the tests too", lambda: venv.ensure(development=True)),
    "toolchain": ("the Python packages of the program, Pulumi and its plug-ins", _toolchain),
    "engine": ("a Docker engine and the base image", _engine),
    "browser": ("Chromium and its driver, for the tests", browser.ensure),
    "shellcheck": ("shellcheck, for `make check`", apt.ensure_shellcheck),
    "pebble": ("an ACME authority for the tests; prints the folder", lambda: say(str(programs.pebble()))),
}

_ON_STACK: Mapping[str, tuple[str, Callable[[str], None]]] = {
    "announce": ("say where the hub is and how to sign in", stack.announce),
    "status": ("say how the hub and its machine are", status.show),
    "prune": ("remove images that nobody needs from the machine", machine.prune),
    "backup": ("make a backup now", backup.back_up),
    "snapshots": ("list the backups that there are", backup.snapshots),
    "restore": (
        "stop the hub, put a backup back, start it; SNAPSHOT names another than the latest",
        lambda name: backup.restore(name, os.environ.get("SNAPSHOT", ""), sure=os.environ.get("YES") == "1"),
    ),
    "publish": (
        "publish the image of the menu entry APP under the name AS",
        lambda name: publishing.publish(name, os.environ.get("APP", ""), os.environ.get("AS", "")),
    ),
    "engine-for": ("a Docker engine and the base image, where the stack needs them here", _engine_for),
    "unlock": ("release a lock that a broken-off update left", recovery.unlock),
    "refresh-flag": (
        "print --refresh where the state must be compared with what is there",
        lambda name: say(recovery.refresh_flag(name)),
    ),
    "down": ("remove all that `make up` made, but not users' files", stack.down),
    "purge": (
        "the same for a local stack, and remove the users' files",
        lambda name: stack.purge(name, sure=os.environ.get("YES") == "1"),
    ),
}


def main() -> None:
    """Run the command that the arguments name; a problem ends it in words, without a traceback."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.toolchain", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (text, _) in _PREPARE.items():
        commands.add_parser(name, help=text)
    for name, (text, _) in _ON_STACK.items():
        commands.add_parser(name, help=text).add_argument("stack")
    arguments = parser.parse_args()
    try:
        if arguments.command in _PREPARE:
            _PREPARE[arguments.command][1]()
        else:
            _ON_STACK[arguments.command][1](arguments.stack)
    except Problem as problem:
        sys.exit(f"\n{problem}")
    except KeyboardInterrupt:
        sys.exit(130)
