"""The contract between a cloud and the hub: a machine that runs Docker."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Ssh:
    """How to reach a remote Docker engine. The private key stays in the operator's file."""

    user: str
    key_file: str
    host_key: str
    """The one host key that is accepted: `ssh-ed25519 AAAA...`, no comment."""
    port: int = 22

    def options(self) -> list[str]:
        """Arguments for ssh(1): this key, and only the host we know.

        KnownHostsCommand (OpenSSH 8.5 and newer) needs no file that could be stale or shared.
        """
        return [
            *("-i", self.key_file),
            *("-o", "IdentitiesOnly=yes"),
            *("-o", "BatchMode=yes"),
            *("-o", "StrictHostKeyChecking=yes"),
            *("-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "GlobalKnownHostsFile=/dev/null"),
            *("-o", f"KnownHostsCommand=/bin/echo %H {self.host_key}"),
            *("-o", "ConnectTimeout=10"),
            *("-o", "ServerAliveInterval=15"),
        ]

    def command(self, address: str, *words: str) -> list[str]:
        """The command line that runs WORDS there, each of them one word again; without words, signs in.

        `shlex.join` makes of it a line for people.
        """
        there = [shlex.join(words)] if words else []
        return ["ssh", *self.options(), "-p", str(self.port), f"{self.user}@{address}", *there]

    def url(self, address: str) -> str:
        """The engine's address as Docker's clients want it."""
        return f"ssh://{self.user}@{address}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Host:
    """A machine that runs Docker: what each cloud gives and all that the hub may know."""

    address: pulumi.Input[str]
    """What browsers and DNS point at: an IP address or a name."""
    ssh: Ssh | None
    """None: the engine is this machine's own."""
    docker_host: pulumi.Input[str] | None
    """Docker's address, which is known only once the engine answers; None: Docker's default."""
    data_dir: str
    """Folder on the machine that outlives it: the data volume's mount point."""
    memory_mb: int
    """Memory of the machine, to refuse limits it cannot hold."""
    cpus: int
    http_port: int = 80
    https_port: int = 443
    bind: str = "0.0.0.0"  # noqa: S104 - a public web server; the local stack says 127.0.0.1
    """The address that the proxy's ports are published on."""
    machine: pulumi.Resource | None = None
    """The containers go with it when it is deleted, and are made anew when it is replaced."""
    identity: pulumi.Resource | None = None
    """For a machine that is not made here: replaced when it is another one, or was installed anew. The
    containers are made anew then, and removed one by one when the stack is destroyed."""
