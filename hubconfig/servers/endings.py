"""Why a server's container ended, in words for its user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KILLED = 137
"""128 and SIGKILL's 9: ended without being asked, by the kernel or by somebody with Docker's rights."""

_STOPPED = frozenset({129, 130, 143})
"""128 and SIGHUP, SIGINT or SIGTERM: asked to end, by `docker stop` or as the machine goes down."""

_NOT_RUN = frozenset({126, 127})
"""Of shells and Docker: there is no such program, or it cannot be run."""


_SAFE = "Files that were saved are safe."


def why_ended(container: Mapping[str, Any] | None) -> str:
    """A sentence or two; nothing for a server whose user ended it.

    :param container: None where it was removed.
    """
    if container is None:
        return f"Your server was removed by whoever runs the machine. {_SAFE}"
    state = container["State"]
    code = state["ExitCode"]
    if code == _KILLED and state["OOMKilled"]:
        # Docker says so, too, when the machine itself had no memory left.
        limit = container["HostConfig"]["Memory"] // 1024**2
        return (
            f"Your server needed more than its {limit} MB of memory, or the machine had none left, so it was "
            f"ended. {_SAFE} Load less at once, or choose an application hub with more memory."
        )
    return _of_code(code)


def _of_code(code: int) -> str:
    if code == 0:
        return ""
    if code == _KILLED:
        return (
            "Your server was killed from outside: by whoever runs the machine, or as the machine had no "
            f"memory left. {_SAFE}"
        )
    if code in _STOPPED:
        return f"Your server was stopped by whoever runs the machine, or as the machine went down. {_SAFE}"
    if code in _NOT_RUN:
        return f"Your server's program could not be run (exit code {code}). Please tell your administrator."
    return f"Your server ended with an error (exit code {code})."
