"""Runs a command, here or over SSH, with one family of errors for what can go wrong."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

_SSH_FAILED: Final = 255
"""ssh's own exit code; every other one is the command's (ssh(1), EXIT STATUS)."""

SECONDS: Final = 120
"""For one command, unless somebody knows better."""


class CommandError(Exception):
    """A command did not do what it was told; the text is its own."""


class UnreachableError(CommandError):
    """The machine could not be asked; it may be stopped, or gone.

    What only looks goes on without it: `pulumi destroy` runs the program too, and must work on a
    stack whose machine is no more.
    """


class RefusedKeyError(UnreachableError):
    """The machine answers and does not let us in."""


class StrangerError(UnreachableError):
    """What answers is not our machine."""


def run(
    command: Sequence[str],
    *,
    over_ssh: bool,
    env: Mapping[str, str] | None = None,
    text: str = "",
    seconds: int = SECONDS,
) -> subprocess.CompletedProcess[str]:
    """A command that ended well, with what it printed.

    :param over_ssh: whether it is ssh(1), whose own failures are told apart.
    :param text: what it reads.

    Raises UnreachableError, RefusedKeyError or StrangerError for ssh's own failures, else CommandError.
    """
    try:
        done = subprocess.run(
            command, env=env, input=text, capture_output=True, text=True, timeout=seconds, check=False
        )
    except FileNotFoundError as error:
        package = " (OpenSSH's client, openssh-client)" if error.filename == "ssh" else ""
        raise CommandError(
            f"the program {error.filename} is not installed; install it{package} and run again"
        ) from None
    except subprocess.TimeoutExpired:
        if over_ssh:
            raise UnreachableError(f"it took the connection and then said nothing for {seconds} s") from None
        raise CommandError(f"{' '.join(command[:2])} did not answer within {seconds} s") from None
    if over_ssh and done.returncode == _SSH_FAILED:
        raise why(done.stderr)
    if done.returncode != 0:
        raise CommandError(done.stderr.strip() or f"it ended with {done.returncode}")
    return done


def why(words: str) -> UnreachableError:
    """What ssh's complaint means."""
    last = words.strip().splitlines()[-1] if words.strip() else "the connection ended without a word"
    if "Host key verification failed" in words:
        return StrangerError(last)
    if "Permission denied" in words or "Too many authentication failures" in words or "Load key" in words:
        return RefusedKeyError(last)
    return UnreachableError(last)
