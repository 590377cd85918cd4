"""Asks a Docker engine, here or over SSH, what the docker provider has no resource for."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
from dataclasses import dataclass, replace
from typing import Any

from infra import remote_shell
from infra.host import Ssh
from infra.remote_shell import CommandError as EngineError
from infra.remote_shell import RefusedKeyError, StrangerError, UnreachableError

__all__ = [
    "Engine",
    "EngineError",
    "MissingError",
    "RefusedKeyError",
    "StrangerError",
    "UnreachableError",
    "local_engine",
]

_MISSING = re.compile(r"no such (object|container|image|network|volume)|unable to find image", re.IGNORECASE)


class MissingError(EngineError):
    """What was asked about is not there: a container, a network or an image that somebody removed.

    `pulumi destroy` must work on a stack of which parts are gone.
    """


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
        command = ["docker", *words]
        return command if self.ssh is None else self.ssh.command(self.address, *command)

    def environment(self) -> dict[str, str]:
        """The environment of such a command."""
        return (
            dict(os.environ) if self.docker_host is None else {**os.environ, "DOCKER_HOST": self.docker_host}
        )

    def run(self, *words: str, seconds: int = remote_shell.SECONDS, text: str | None = None) -> str:
        """What `docker WORDS` prints.

        Raises EngineError when it fails, has no docker program, or takes longer than so many seconds;
        MissingError when that is because something is not there; UnreachableError, RefusedKeyError or
        StrangerError when the machine does not let us ask.
        """
        done = self._run(self.command(*words), text or "", seconds)
        # Docker writes a container's complaints where a program writes its own.
        return (done.stdout + (done.stderr if words[0] == "logs" else "")).strip()

    def run_with_file(self, content: str, *words: str) -> str:
        """What `docker WORDS` prints, which finds a content in the file /dev/stdin. Raises as `run` does.

        sshd gives programs a socket there, which nobody can open as a file; so a pipe is put between.
        """
        command = ["sh", "-c", 'cat | docker "$@"', "docker", *words]
        there = command if self.ssh is None else self.ssh.command(self.address, *command)
        return self._run(there, content, remote_shell.SECONDS).stdout.strip()

    def _run(self, command: list[str], text: str, seconds: int) -> subprocess.CompletedProcess[str]:
        try:
            return remote_shell.run(
                command, over_ssh=self.ssh is not None, env=self.environment(), text=text, seconds=seconds
            )
        except RefusedKeyError as error:
            raise RefusedKeyError(f"{self.address} does not accept our key: {error}") from None
        except StrangerError as error:
            raise StrangerError(f"what answers at {self.address} is not our machine: {error}") from None
        except UnreachableError as error:
            raise UnreachableError(f"{self.address} cannot be reached: {error}") from None
        except EngineError as error:
            if _MISSING.search(str(error)):
                raise MissingError(str(error)) from None
            raise

    def show(self, *words: str) -> bool:
        """Let a person see what `docker WORDS` prints, while it runs; whether it ended well."""
        shown = subprocess.run(
            self.command(*words), env=self.environment(), stdin=subprocess.DEVNULL, check=False
        )
        return shown.returncode == 0

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


@functools.cache
def _address_of_context() -> str | None:
    try:
        address = Engine().run("context", "inspect", "--format", "{{.Endpoints.docker.Host}}", seconds=10)
    except EngineError:
        return None  # an engine that cannot even say this is reported with a way out by whoever asks next
    return address or None


def local_engine() -> Engine:
    """The engine that the docker program talks to, also where a Docker context chose it.

    The docker provider knows no contexts, so it is told the address; Docker is asked once for it.
    """
    return replace(Engine(), docker_host=os.environ.get("DOCKER_HOST") or _address_of_context())
