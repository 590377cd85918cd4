"""User data for cloud-init: what a new machine is told at its first start."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from infra.machine.first_boot import UNIT, FirstBoot, HostFile, host_files
from infra.machine.keys import HostKey


class UserDataTooLargeError(ValueError):
    """The user data do not fit; a fault of ours, not of the stack file."""


def user_data(*, first_boot: FirstBoot, operator_public_key: str, host_key: HostKey, limit_bytes: int) -> str:
    """A cloud-config that prepares the machine and gives it the host key we made for it.

    It holds the host key's private half: treat it as a secret, and keep containers from the metadata
    service, which shows it.

    :param limit_bytes: what the cloud takes.

    Raises UserDataTooLargeError.
    """
    config: dict[str, Any] = {
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": host_key.private, "ed25519_public": f"{host_key.public}\n"},
        "ssh_authorized_keys": [operator_public_key],
        "ssh_pwauth": False,
        # Some clouds give a machine a scratch disk, which cloud-init would mount where the data belong.
        "mounts": [["ephemeral0"]],
        "write_files": [_entry(file) for file in host_files(first_boot)],
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", UNIT],
            ["systemctl", "start", "--no-block", UNIT],
        ],
    }
    text = "#cloud-config\n" + json.dumps(config, separators=(",", ":"))
    size = len(text.encode())
    if size > limit_bytes:
        raise UserDataTooLargeError(f"the user data are {size} bytes, and the cloud takes {limit_bytes}")
    return text


def _entry(file: HostFile) -> dict[str, str]:
    # mtime 0: the same file is always the same user data.
    packed = gzip.compress(file.text.encode(), mtime=0)
    return {
        "path": file.path,
        "permissions": f"{file.mode:04o}",
        "encoding": "gz+b64",
        "content": base64.b64encode(packed).decode(),
    }
