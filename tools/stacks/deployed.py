"""A stack that is up, as its last update's outputs tell it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubconfig import labels
from infra.engine import Engine, EngineError, local_engine
from infra.host import Ssh
from tools.toolchain.console import Problem
from tools.toolchain.places import ROOT

_SECONDS = 3600
"""For one command of Docker: stopping many servers takes minutes."""


@dataclass(frozen=True)
class Deployed:
    """A stack and what its last update exported; nothing where there was none."""

    name: str
    outputs: Mapping[str, Any]

    @classmethod
    def find(cls, name: str) -> Deployed:
        """The stack's outputs, secrets opened. Raises Problem when its state cannot be read."""
        command = ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            if "no stack named" in done.stderr:
                return cls(name, {})
            raise Problem(f"`pulumi stack output` failed for the stack {name}:\n    {done.stderr.strip()}")
        return cls(name, json.loads(done.stdout or "{}"))

    @property
    def is_up(self) -> bool:
        """Whether an update ended well since it was last taken down."""
        return "url" in self.outputs

    @property
    def url(self) -> str:
        """Where browsers find the first hub."""
        return str(self.outputs["url"])

    @property
    def data_dir(self) -> str:
        """The folder on the machine with users' files."""
        return str(self.outputs["dataDir"])

    @property
    def address(self) -> str:
        """The machine's address."""
        return str(self.outputs.get("address", ""))

    @property
    def ssh(self) -> Ssh | None:
        """How to reach the machine; None: it is this one."""
        if "sshUser" in self.outputs:
            return Ssh(
                user=self.outputs["sshUser"],
                port=int(self.outputs["sshPort"]),
                key_file=self.outputs["sshKeyFile"],
                host_key=self.outputs["hostKey"],
            )
        return _ssh_of_words(self.outputs["ssh"], self.outputs["hostKey"]) if "ssh" in self.outputs else None

    @property
    def certificate_is_renewed(self) -> bool:
        """Whether the proxy renews its certificate; not one that a person gave."""
        return self.outputs.get("tls") != "files"

    @property
    def engine(self) -> Engine:
        """The machine's Docker engine."""
        return local_engine() if self.ssh is None else Engine(self.address, self.ssh)

    def docker(self, *words: str) -> str:
        """What `docker WORDS` prints on the machine. Raises Problem with its complaint when it fails."""
        try:
            return self.engine.run(*words, seconds=_SECONDS)
        except EngineError as error:
            raise Problem(f"`{shlex.join(['docker', *words])}` failed:\n    {error}") from None

    def containers(self, role: labels.Role, *more: str) -> list[str]:
        """Names of the stack's containers with this role that run, the shortest first.

        :param more: further options of `docker ps`.

        Raises Problem when the machine cannot be asked.
        """
        wanted = [f"{labels.STACK}={self.name}", f"{labels.ROLE}={role}"]
        filters = [word for label in wanted for word in ("--filter", f"label={label}")]
        return sorted(self.docker("ps", *filters, *more, "--format", "{{.Names}}").split(), key=len)

    def hubs(self) -> list[str]:
        """Names of the containers of the stack's hubs that run, the first hub's first; none if it is not up.

        Raises Problem when the machine cannot be asked.
        """
        # Further hubs' names have the hub's name in them.
        return self.containers("hub") if self.is_up else []


def _ssh_of_words(line: str, host_key: str) -> Ssh:
    """From the command line that the older version exported as a text."""
    # It was quoted by hand: a quote in the key's path stands there as it is.
    found = re.search(r" -i '?(?P<key>.*?)'? -o .* -p (?P<port>\d+) (?P<user>[^@\s]+)@", line)
    if found is None:
        raise Problem("The state does not say how the machine is reached; `pulumi up` writes it there.")
    return Ssh(user=found["user"], port=int(found["port"]), key_file=found["key"], host_key=host_key)
