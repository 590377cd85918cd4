"""What turns a bare Linux into a Docker host: the files that are put on it, by cloud-init or over SSH."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.machine import systems

FILES: Final = Path(__file__).with_name("files")

STATUS: Final = "/var/lib/cyberhub/first-boot"
"""The file in which first boot says how far it is: lines of NAME=VALUE."""

LOG: Final = "/var/log/cyberhub-first-boot.log"

UNIT: Final = "cyberhub-first-boot.service"

_SETTINGS: Final = "/etc/cyberhub/first-boot.conf"


@dataclass(frozen=True, kw_only=True)
class FirstBoot:
    """How one machine is prepared."""

    user: str
    """Who reaches Docker over SSH; joins the docker group."""
    data_dir: str
    """Where the data disk is mounted, or the folder that is used as it is."""
    data_disk: Sequence[str]
    """Names under /dev, with wildcards, tried in turn until one is there; none: there is no such disk."""
    ours_alone: bool
    """The machine was made for the hub: all its packages are kept up to date and sshd takes only keys.
    On somebody's own server both are left as they are."""


@dataclass(frozen=True)
class HostFile:
    """A file on the machine."""

    path: str
    text: str
    mode: int = 0o644


def host_files(first_boot: FirstBoot) -> list[HostFile]:
    """All files of first boot, the settings last."""
    files = _programs()
    settings = _settings(first_boot)
    mark = hashlib.sha256(repr((files, settings)).encode()).hexdigest()[:16]
    return [*files, HostFile(_SETTINGS, f"{settings}DIGEST={mark}\n")]


def digest(first_boot: FirstBoot) -> str:
    """A short hash of all that prepares the machine; the status file tells which one it was done for."""
    return host_files(first_boot)[-1].text.rpartition("DIGEST=")[2].strip()


def _programs() -> list[HostFile]:
    # /usr/local/sbin: where SELinux lets a service's program be.
    scripts = [
        HostFile("/usr/local/sbin/cyberhub-data-disk", (FILES / "data-disk.sh").read_text(), 0o755),
        HostFile("/usr/local/sbin/cyberhub-first-boot", (FILES / "first-boot.sh").read_text(), 0o755),
    ]
    units = [
        HostFile(f"/etc/systemd/system/{file.name}", file.read_text())
        for file in sorted(FILES.glob("*.service"))
    ]
    return [*scripts, *units]


def _settings(first_boot: FirstBoot) -> str:
    """Lines that both a shell and systemd read."""
    values = {
        "USER_NAME": first_boot.user,
        "DATA_DIR": first_boot.data_dir,
        "DATA_DISK": " ".join(first_boot.data_disk),
        "OURS_ALONE": "yes" if first_boot.ours_alone else "no",
        **systems.settings(),
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
