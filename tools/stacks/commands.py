"""The commands behind `make` that need a stack."""

from __future__ import annotations

import argparse
import os
import sys

from tools.stacks import backup, life, pruning, publishing, purge, recovery, stack, status
from tools.toolchain.console import Problem

_PLAIN = {
    "up": ("bring the hub up, or to its new settings", life.up),
    "rebuild": ("make the cloud's machine anew", life.rebuild),
    "preview": ("show what up would change", life.preview),
    "down": ("remove all that up made, but not users' files", life.down),
    "announce": ("say where the hub is and how to sign in", stack.announce),
    "status": ("say how the hub and its machine are", status.show),
    "prune": ("remove images that nobody needs from the machine", pruning.prune),
    "backup": ("make a backup now", backup.back_up),
    "snapshots": ("list the backups that there are", backup.snapshots),
    "unlock": ("release a lock that a broken-off update left", recovery.unlock),
}


def main() -> None:
    """Run the command that the arguments name; a problem ends it in words, without a traceback."""
    arguments = _parser().parse_args()
    name = arguments.stack
    try:
        match arguments.command:
            case "restore":
                backup.restore(name, arguments.snapshot, sure=arguments.yes)
            case "purge":
                purge.purge(name, sure=arguments.yes)
            case "publish":
                publishing.publish(name, arguments.app, arguments.name)
            case command:
                _PLAIN[command][1](name)
    except Problem as problem:
        sys.exit(f"\n{problem}")
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    """The options' defaults are the variables of `make WHAT NAME=VALUE`, which come as environment."""
    said = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m tools.stacks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (text, _) in _PLAIN.items():
        commands.add_parser(name, help=text).add_argument("stack")
    restore = commands.add_parser("restore", help="stop the hub, put a backup back, start it")
    restore.add_argument("--snapshot", default=said("SNAPSHOT", ""), help="its id; else the latest")
    purging = commands.add_parser("purge", help="take a local stack down, and remove the users' files")
    publish = commands.add_parser("publish", help="publish a menu entry's image")
    publish.add_argument("--app", default=said("APP", ""), help="the menu entry")
    publish.add_argument("--as", dest="name", default=said("AS", ""), help="the image's name for others")
    for asking in (restore, purging):
        asking.add_argument("--yes", action="store_true", default=said("YES") == "1", help="do not ask")
    for one in (restore, purging, publish):
        one.add_argument("stack")
    return parser
