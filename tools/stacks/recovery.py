"""Gets a stack out of what a broken-off update left: a lock that nobody holds, a hub that is gone."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.stacks import stack as stacks
from tools.stacks import status
from tools.toolchain.console import Problem, run, say


def unlock(stack: str) -> None:
    """Release the state's lock if the update that took it was on this machine and is no more."""
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


def refresh_flag(stack: str) -> str:
    """`--refresh` for `pulumi up` where the hub does not answer although the stack is up; else nothing.

    Containers may have been removed by somebody else; the state does not know that until it is refreshed.
    """
    try:
        found = stacks.outputs(stack)
    except Problem:
        return ""  # what is wrong with the state is for `pulumi up` to say
    url = found.get("url")
    return "--refresh" if url and not status.answers(url) and _machine_answers(found) else ""


def _machine_answers(found: dict[str, Any]) -> bool:
    """Whether the machine can be asked for its containers.

    One that is stopped or gone cannot, and a state that had forgotten a machine which is gone would know
    nothing of containers that its successor needs: `make rebuild` is for that.
    """
    if "ssh" not in found:
        return True  # this machine
    port = re.search(r" -p (\d+) ", found["ssh"])
    try:
        socket.create_connection((found["address"], int(port[1]) if port else 22), timeout=5).close()
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
