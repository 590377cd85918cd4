"""Backs a stack up at once, and puts a backup back, each in one command."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from tools.stacks import status
from tools.stacks.deployed import Deployed
from tools.toolchain.console import Problem, say

_ANSWER_SECONDS = 60
"""A hub answers 2 to 3 s after its start; a busy machine takes longer."""


def back_up(stack: str) -> None:
    """Make a backup now. Raises Problem when it fails."""
    deployed, backup = _backup(stack)
    if not deployed.engine.show("exec", backup, "cyberhub-backup", "once"):
        raise Problem("There is no new backup, for the reason above; docs/backup.md says more.")


def snapshots(stack: str) -> None:
    """List the backups that there are. Raises Problem when they cannot be listed."""
    deployed, backup = _backup(stack)
    if not deployed.engine.show("exec", backup, "cyberhub-backup", "snapshots"):
        raise Problem("The backups cannot be listed, for the reason above.")


def restore(stack: str, snapshot: str, *, sure: bool) -> None:
    """Stop the stack's hubs, put a backup back, start them.

    :param snapshot: its id; empty: the latest.
    :param sure: do not ask.

    Raises Problem; the hubs are stopped then if files may have changed.
    """
    deployed, backup = _backup(stack)
    words = ["cyberhub-backup", "which", *([snapshot] if snapshot else [])]
    chosen = json.loads(deployed.docker("exec", backup, *words))
    servers = deployed.containers("user")
    say(_plan(chosen, deployed, len(servers)))
    if not (sure or _confirmed()):
        raise Problem("Nothing was changed.")
    hubs = deployed.containers("hub", "--all")
    say(f"==> Stopping {', '.join(hubs)}" + (f" and {len(servers)} users' servers" if servers else ""))
    deployed.docker("stop", *hubs)
    # Those that were started since the list above was made, too.
    servers = deployed.containers("user", "--all")
    if servers:
        deployed.docker("rm", "--force", "--volumes", *servers)
    say("==> Restoring")
    if not deployed.engine.show("exec", backup, "cyberhub-backup", "restore", chosen["id"]):
        start = f"docker start {' '.join(hubs)}"
        raise Problem(
            "The backup was not put back, for the reason above. The hub stays stopped, as its files may be a "
            f"mixture: repeat `make restore`, or start it as it is with `{start}` on the machine."
        )
    proxies = deployed.containers("proxy", "--all")
    say(f"==> Starting {', '.join([*hubs, *proxies])}")
    deployed.docker("start", *hubs)
    deployed.docker("restart", *proxies)  # certificates came along
    _wait(deployed.url)
    say(f"Restored {chosen['stack']} as it was at {chosen['time'][:19]}; {deployed.url} answers.")


def _backup(stack: str) -> tuple[Deployed, str]:
    """The stack, and its container that makes backups."""
    deployed = Deployed.find(stack)
    running = deployed.containers("backup") if deployed.is_up else []
    if not running:
        raise Problem(
            f"No container of {stack} makes backups. Give its stack file a section `backup` "
            "(docs/backup.md), then `make up`."
        )
    return deployed, running[0]


def _plan(chosen: Mapping[str, Any], deployed: Deployed, servers: int) -> str:
    size = ""
    if chosen.get("files") is not None:
        size = f": {chosen['files']:,} files, {chosen['bytes'] / 10**9:,.1f} GB"
    lines = [
        f"Snapshot {chosen['id']} of {chosen['stack']}, {chosen['time'][:19]}{size}",
        f"will replace what is in {deployed.data_dir} by what was there then; newer files stay. What it",
        "replaces is kept in the repository as a snapshot first.",
        f"The hub stops meanwhile, and {servers} running servers of users end.",
    ]
    return "\n".join(lines)


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise Problem("Nothing was changed. To restore without being asked: YES=1")
    return input("Restore it? Type yes: ").strip().lower() == "yes"


def _wait(url: str) -> None:
    deadline = time.monotonic() + _ANSWER_SECONDS
    while not status.answers(url):
        if time.monotonic() > deadline:
            raise Problem(
                f"The backup is back, but {url} does not answer yet; `make status` tells how it is."
            )
        time.sleep(0.5)
