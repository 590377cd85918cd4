"""The machine of a stack that is up: this one, or the one that its outputs tell how to reach."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from hubconfig import labels
from tools.stacks.stack import outputs
from tools.toolchain.console import Problem, say


def run(found: Mapping[str, Any], *words: str) -> subprocess.CompletedProcess[str]:
    """A command on the machine.

    :param found: the stack's outputs; the command for ssh among them accepts only the host key we know.
    """
    return subprocess.run(_command(found, words), capture_output=True, text=True, check=False)


def show(found: Mapping[str, Any], *words: str) -> bool:
    """Let a person see what a command on the machine prints, while it runs; whether it ended well."""
    return subprocess.run(_command(found, words), stdin=subprocess.DEVNULL, check=False).returncode == 0


def do(found: Mapping[str, Any], *words: str) -> str:
    """What a command on the machine prints. Raises Problem with its complaint when it fails."""
    done = run(found, *words)
    if done.returncode != 0:
        raise Problem(f"`{shlex.join(words)}` failed on the machine:\n    {done.stderr.strip()}")
    return done.stdout.strip()


def _command(found: Mapping[str, Any], words: Sequence[str]) -> list[str]:
    return [*shlex.split(found["ssh"]), shlex.join(words)] if "ssh" in found else list(words)


def containers(stack: str, found: Mapping[str, Any], role: str, *more: str) -> list[str]:
    """Names of the stack's containers with this role that run, the shortest first.

    :param more: further options of `docker ps`.

    Raises Problem when the machine cannot be asked.
    """
    wanted = ["--filter", f"label={labels.STACK}={stack}", "--filter", f"label={labels.ROLE}={role}"]
    listed = do(found, "docker", "ps", *wanted, *more, "--format", "{{.Names}}")
    return sorted(listed.split(), key=len)


def hubs(stack: str, found: Mapping[str, Any]) -> list[str]:
    """Names of the containers of the stack's hubs that run, the first hub's first.

    Raises Problem when the machine cannot be asked.
    """
    # Further hubs' names have the hub's name in them.
    return containers(stack, found, "hub")


def prune(stack: str) -> None:
    """Remove images that no menu and no container needs, as the hub does by itself.

    Raises Problem.
    """
    found = outputs(stack)
    running = hubs(stack, found) if found else []
    if not running:
        raise Problem(
            f"No hub of {stack} runs, and only a hub knows which images are needed: `make up` first."
        )
    done = run(found, "docker", "exec", running[0], "python3", "-m", "hubconfig.pruning")
    if done.returncode != 0:
        raise Problem(f"Nothing was removed:\n    {done.stderr.strip().splitlines()[-1]}")
    say(done.stdout.rstrip())
