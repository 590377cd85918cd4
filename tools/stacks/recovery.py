"""Gets a stack out of what a broken-off update left: a lock that nobody holds, a hub that is gone."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.stacks import status
from tools.stacks.deployed import Deployed
from tools.stacks.missing import folder_is_gone, let_go_of_folder, missing
from tools.toolchain.console import Problem, run, say


def unlock(stack: str) -> None:
    """Release the state's lock if the update that took it was on this machine and is no more.

    Raises Problem while somebody else's is held: two updates at once would undo each other's work.
    """
    for lock in _locks(stack):
        try:
            holder = json.loads(lock.read_text())
        except (OSError, ValueError):
            continue  # released meanwhile, or being written
        if holder.get("hostname") == socket.gethostname() and not _alive(int(holder.get("pid", 0))):
            say("An earlier update was broken off; releasing its lock on the stack's state.")
            cancel = ["pulumi", "cancel", "--yes", "--stack", stack]
            run(cancel, by_hand=f"By hand: pulumi cancel --stack {stack}")
            return
        raise Problem(_held(stack, holder))


def _held(stack: str, holder: Mapping[str, Any]) -> str:
    who, where = holder.get("username") or "somebody", holder.get("hostname") or "another computer"
    return (
        f"{who} at {where} has been working on the stack {stack} since {holder.get('timestamp', '?')} "
        f"(process {holder.get('pid', '?')} there). Wait until that has ended. If it was broken off, as when "
        f"that computer was switched off, release its lock: pulumi cancel --stack {stack}"
    )


def must_refresh(stack: str) -> bool:
    """Whether the state must be compared with what is there: the hub does not answer, or something is gone.

    Somebody may have removed containers, networks and images; the state does not know that until it is
    refreshed. Containers of a data folder that is gone go, too, so that they are made again with it.
    """
    try:
        deployed = Deployed.find(stack)
    except Problem:
        return False  # what is wrong with the state is for `pulumi up` to say
    if not deployed.is_up or not _machine_answers(deployed):
        return False
    if folder_is_gone(deployed):
        let_go_of_folder(deployed)
    try:
        found = missing(deployed)
    except Problem:
        found = []  # a machine that cannot be asked is for `pulumi up` to tell of, too
    if found:
        say(f"==> Gone from the machine, and made again: {', '.join(found)}")
    return bool(found) or not status.answers(deployed.url)


def _machine_answers(deployed: Deployed) -> bool:
    """Whether the machine can be asked for its containers.

    One that is stopped or gone cannot, and a state that had forgotten a machine which is gone would know
    nothing of containers that its successor needs: `make rebuild` is for that.
    """
    if deployed.ssh is None:
        return True  # this machine
    try:
        socket.create_connection((deployed.address, deployed.ssh.port), timeout=5).close()
    except OSError:
        return False
    return True


def _locks(stack: str) -> list[Path]:
    backend = urlsplit(os.environ.get("PULUMI_BACKEND_URL", ""))
    if backend.scheme != "file":
        return []
    folder = Path(f"{backend.netloc}{backend.path}").expanduser() / ".pulumi" / "locks"
    return sorted(folder.glob(f"**/{stack}/*.json"))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
