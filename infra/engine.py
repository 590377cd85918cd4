"""Asks a Docker engine, here or over SSH, what the docker provider has no resource for."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from typing import Any

from infra.host import Ssh

_SECONDS = 120


class EngineError(Exception):
    """Docker did not do what it was asked; the text is Docker's own."""


class UnreachableError(EngineError):
    """The machine does not let us in; it may be stopped, or gone.

    What only looks goes on without it: `pulumi destroy` runs the program too, and must work on a
    stack whose machine is no more.
    """


_SSH_FAILED = 255
"""ssh's own exit code, when it never came to run the command."""


@dataclass(frozen=True)
class Engine:
    """A Docker engine: this machine's (no ssh), or a remote one."""

    address: str = ""
    ssh: Ssh | None = None
    docker_host: str | None = None
    """Docker's address on this machine; None: Docker's default."""

    def command(self, *words: str) -> list[str]:
        """The command line that runs `docker WORDS` there.

        Over SSH docker itself runs on the machine: the client's own ssh:// takes no options, so it
        could not be told which host key to accept.
        """
        if self.ssh is None:
            return ["docker", *words]
        there = shlex.join(["docker", *words])
        return [
            "ssh",
            *self.ssh.options(),
            "-p",
            str(self.ssh.port),
            f"{self.ssh.user}@{self.address}",
            there,
        ]

    def environment(self) -> dict[str, str]:
        """The environment of such a command."""
        return (
            dict(os.environ) if self.docker_host is None else {**os.environ, "DOCKER_HOST": self.docker_host}
        )

    def run(self, *words: str, seconds: int = _SECONDS, text: str | None = None) -> str:
        """What `docker WORDS` prints.

        Raises EngineError when it fails, has no docker program, or takes longer than so many seconds.
        """
        try:
            done = subprocess.run(
                self.command(*words),
                env=self.environment(),
                input=text if text is not None else "",
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except FileNotFoundError as error:
            raise EngineError(
                f"the program {error.filename} is not installed; install it and run again"
            ) from None
        except subprocess.TimeoutExpired:
            raise EngineError(f"docker {words[0]} did not answer within {seconds} s") from None
        if self.ssh is not None and done.returncode == _SSH_FAILED:
            raise UnreachableError(f"{self.address} cannot be reached: {done.stderr.strip()}")
        if done.returncode != 0:
            raise EngineError(done.stderr.strip() or f"docker {words[0]} failed with {done.returncode}")
        # Docker writes a container's complaints where a program writes its own.
        return (done.stdout + (done.stderr if words[0] == "logs" else "")).strip()

    def info(self) -> dict[str, Any]:
        """What the engine says of itself. Raises EngineError when it does not answer."""
        answer: dict[str, Any] = json.loads(self.run("info", "--format", "{{json .}}", seconds=30))
        if answer.get("ServerErrors"):
            raise EngineError("; ".join(answer["ServerErrors"]))
        return answer

    def remove_containers(self, *labels: str) -> list[str]:
        """Stop and remove the containers with all of these labels; the names of those removed."""
        filters = [word for label in labels for word in ("--filter", f"label={label}")]
        names = self.run("ps", "--all", *filters, "--format", "{{.Names}}").split()
        if names:
            self.run("rm", "--force", "--volumes", *names)
        return names
