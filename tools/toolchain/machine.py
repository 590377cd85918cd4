"""The machine of a stack that is up: this one, or the one that its outputs tell how to reach."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

from infra.labels import ROLE_LABEL, STACK_LABEL
from tools.toolchain.console import Problem, say
from tools.toolchain.stack import outputs


def run(found: Mapping[str, Any], *words: str) -> subprocess.CompletedProcess[str]:
    """A command on the machine.

    :param found: the stack's outputs; the command for ssh among them accepts only the host key we know.
    """
    command = [*shlex.split(found["ssh"]), shlex.join(words)] if "ssh" in found else list(words)
    return subprocess.run(command, capture_output=True, text=True, check=False)


def hubs(stack: str, found: Mapping[str, Any]) -> list[str]:
    """Names of the containers of the stack's hubs that run, the first hub's first.

    Raises Problem when the machine cannot be asked.
    """
    labels = ["--filter", f"label={STACK_LABEL}={stack}", "--filter", f"label={ROLE_LABEL}=hub"]
    listed = run(found, "docker", "ps", *labels, "--format", "{{.Names}}")
    if listed.returncode != 0:
        msg = f"The machine cannot be asked:\n    {listed.stderr.strip()}"
        raise Problem(msg)
    # Further hubs' names have the hub's name in them.
    return sorted(listed.stdout.split(), key=len)


def prune(stack: str) -> None:
    """Remove images that no menu and no container needs, as the hub does by itself.

    Raises Problem.
    """
    found = outputs(stack)
    running = hubs(stack, found) if found else []
    if not running:
        msg = f"No hub of {stack} runs, and only a hub knows which images are needed: `make up` first."
        raise Problem(msg)
    done = run(found, "docker", "exec", running[0], "python3", "-m", "hubconfig.pruning")
    if done.returncode != 0:
        msg = f"Nothing was removed:\n    {done.stderr.strip().splitlines()[-1]}"
        raise Problem(msg)
    say(done.stdout.rstrip())
