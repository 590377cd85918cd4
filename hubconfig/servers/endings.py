"""Why a server's container ended, in words for its user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KILLED = 137
"""128 and SIGKILL's 9: ended without being asked, by the kernel or by somebody with Docker's rights."""


def why_ended(container: Mapping[str, Any]) -> str:
    """A sentence or two; nothing for a server whose user ended it."""
    state = container["State"]
    code = state["ExitCode"]
    if code == _KILLED and state["OOMKilled"]:
        limit = container["HostConfig"]["Memory"] // 1024**2
        return (
            f"Your server needed more than its {limit} MB of memory, so it was ended. Files that were saved "
            "are safe. Load less at once, or choose an application hub with more memory."
        )
    if code == _KILLED:
        return (
            "Your server was ended from outside; most often that is because the machine has no memory left."
        )
    if code != 0:
        return f"Your server ended with an error (exit code {code})."
    return ""
