"""The key pairs of a stack: the operator's, and the one its machine shows to whoever connects.

Both are made once, in ~/.ssh, and the machine's pair before the machine, so that the first
connection already knows whom it talks to. No private half enters Pulumi's state as an output.
"""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pulumi

from infra.handed_over.ssh_key_file import what_mends
from infra.stack import state

MADE_ON: Final = "keysMadeOn"
"""Output of a machine's component that says where the keys are."""


@dataclass(frozen=True)
class OperatorKey:
    """Who may sign in on the machine."""

    file: str
    """The private key's path on this computer."""
    public: str
    """`ssh-ed25519 AAAA...`, no comment."""


@dataclass(frozen=True)
class HostKey:
    """The machine's identity."""

    private: str = field(repr=False)
    """OpenSSH's own format; for user data only."""
    public: str
    """`ssh-ed25519 AAAA...`, no comment: the only one that ssh accepts."""


@dataclass(frozen=True)
class Keys:
    """Both pairs of a machine that is made here."""

    operator: OperatorKey
    host: HostKey


def of_machine(ssh_key_file: str | None, stack: str, *, in_use: bool) -> Keys:
    """Both pairs of a stack's machine; see `operator_key` and `host_key`."""
    return Keys(operator_key(ssh_key_file, stack, in_use=in_use), host_key(stack, in_use=in_use))


def operator_key(ssh_key_file: str | None, stack: str, *, in_use: bool) -> OperatorKey:
    """The existing key in ssh_key_file, or the stack's own, made on first use as ~/.ssh/cyberhubs-STACK.

    :param in_use: the stack has a machine, which knows the keys that were made for it.

    Raises pulumi.RunError when the file is missing (where it is in use, also the file that was made), or is
    no private key.
    """
    if ssh_key_file is not None:
        return given_key(ssh_key_file)
    file = _made(_ssh_folder() / f"cyberhubs-{stack}", in_use=in_use)
    return OperatorKey(file=str(file), public=_public_half(file))


def given_key(ssh_key_file: str) -> OperatorKey:
    """The existing key in a file. Raises pulumi.RunError when it is missing, or is no private key."""
    file = Path(ssh_key_file).expanduser().absolute()
    if not file.is_file():
        raise pulumi.RunError(
            f"cloud.sshKeyFile: {file} does not exist on this computer; name an existing private key"
        )
    return OperatorKey(file=str(file), public=_public_half(file))


def host_key(stack: str, *, in_use: bool) -> HostKey:
    """The stack's host key, made on first use as ~/.ssh/cyberhubs-STACK-host.

    :param in_use: the stack has a machine, which shows the key that was made for it.

    Raises pulumi.RunError when it is missing though it is in use: a new one would not be the machine's.
    """
    file = _made(_ssh_folder() / f"cyberhubs-{stack}-host", in_use=in_use)
    return HostKey(private=file.read_text(), public=_public_half(file))


def made_on() -> dict[str, str]:
    """What a machine's component registers as outputs, for the error about a missing key."""
    return {MADE_ON: f"{getpass.getuser()}@{socket.gethostname()}"}


def _ssh_folder() -> Path:
    folder = Path("~/.ssh").expanduser()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _made(file: Path, *, in_use: bool) -> Path:
    if not file.is_file():
        if in_use:
            raise _lost(file)
        _make(file)
    return file


def _make(file: Path) -> None:
    """Make a key pair that nobody else is making: the first of parallel calls wins, all get the same."""
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
        new = Path(folder) / "key"
        _keygen("-q", "-t", "ed25519", "-N", "", "-C", file.name, "-f", str(new))
        try:
            # A hard link appears whole or not at all, and never over an existing file.
            os.link(new, file)
        except FileExistsError:
            return
        new.with_suffix(".pub").replace(file.with_name(f"{file.name}.pub"))
    pulumi.log.info(f"made the key pair {file}; keep it: without it the stack's machine cannot be reached")


def _public_half(file: Path) -> str:
    """The public key without its comment; from the .pub file where the private one has a passphrase."""
    try:
        words = _keygen("-y", "-P", "", "-f", str(file)).split()
    except _KeygenError as error:
        beside = file.with_name(f"{file.name}.pub")
        if "incorrect passphrase" not in str(error) or not beside.is_file():
            mend = what_mends(file)
            if mend and "incorrect passphrase" not in str(error):
                raise pulumi.RunError(f"{file} {mend}") from None
            raise pulumi.RunError(
                f"{file} cannot be used: {error}\n"
                "It must be a private key that only you can read (chmod 600). One with a passphrase needs "
                f"{beside.name} beside it and the key loaded into ssh-agent."
            ) from None
        words = beside.read_text().split()
    return " ".join(words[:2])


class _KeygenError(Exception):
    """ssh-keygen's own complaint."""


def _keygen(*words: str) -> str:
    try:
        done = subprocess.run(
            ["ssh-keygen", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise pulumi.RunError(
            "the program ssh-keygen is not installed; install OpenSSH's client (openssh-client)"
        ) from None
    if done.returncode != 0:
        raise _KeygenError(done.stderr.strip())
    return done.stdout


def _lost(file: Path) -> pulumi.RunError:
    """What is said of a key that a machine needs; the state tells where it was made."""
    places = {
        resource["outputs"][MADE_ON]
        for resource in state.resources().values()
        if MADE_ON in (resource.get("outputs") or {})
    }
    place = " or ".join(sorted(places)) or "the computer that first ran pulumi up for this stack"
    return pulumi.RunError(
        f"{file} is missing on this computer, and the stack's machine runs with that key.\n"
        f"It was made on {place}: copy ~/.ssh/{file.name} from there (mode 600).\n"
        "If it is lost for good, rebuild the machine with new keys (users' data stay on their volume): "
        "see docs/rebuild.md."
    )
