"""The machine that the tests share, and the kitchen it is made in."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.clouds.aws.facts import USER_DATA_BYTES
from infra.host import Ssh
from infra.machine import readiness
from infra.machine.cloud_init import user_data
from infra.machine.first_boot import FirstBoot
from infra.machine.keys import HostKey, OperatorKey
from tests.support.ports import free_ports
from tests.vm.guest import DISK_NAMES, Guest
from tests.vm.guest_image import guest_image
from tools.toolchain import apt

SUITE = os.environ.get("CYBERHUBS_GUEST", "bookworm")
"""The Debian that the machine runs."""

PLAN = FirstBoot(user="debian", data_dir="/mnt", data_disk=DISK_NAMES, ours_alone=True)


_PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "genisoimage": "genisoimage",
    "mmdebstrap": "mmdebstrap",
    "cloud-init": "cloud-init",
    "mkfs.xfs": "xfsprogs",
    "mkfs.vfat": "dosfstools",
}
"""What these tests run, and Debian's packages that hold it."""


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """Have what the tests run."""
    missing = sorted(package for program, package in _PROGRAMS.items() if shutil.which(program) is None)
    if missing:
        otherwise = f"The vm tests need {', '.join(missing)}; install them, then run them again as root."
        apt.install(missing, usually="a minute", otherwise=otherwise)


@pytest.fixture(scope="session")
def kitchen() -> Iterator[Path]:
    """A folder for disks and keys, gone afterwards; it holds gigabytes that are mostly holes."""
    folder = Path(tempfile.mkdtemp(prefix="cyberhubs-vm-"))
    yield folder
    if "CYBERHUBS_KEEP" not in os.environ:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def operator(kitchen: Path) -> OperatorKey:
    """Whom the machine lets in."""
    return OperatorKey(str(kitchen / "operator"), keygen(kitchen / "operator"))


@pytest.fixture(scope="session")
def host_key(kitchen: Path) -> HostKey:
    """Whom the machine is known by."""
    public = keygen(kitchen / "host")
    return HostKey(private=(kitchen / "host").read_text(), public=public)


@pytest.fixture(scope="session")
def rendered(operator: OperatorKey, host_key: HostKey) -> str:
    """The user data, as a cloud is given them."""
    return user_data(
        first_boot=PLAN, operator_public_key=operator.public, host_key=host_key, limit_bytes=USER_DATA_BYTES
    )


@pytest.fixture(scope="session")
def bare(rendered: str) -> str:
    """User data of a machine that nobody prepares: it only has its host key and lets the operator in."""
    config = json.loads(rendered.partition("\n")[2])
    kept = {key: value for key, value in config.items() if key.startswith("ssh_")}
    return f"#cloud-config\n{json.dumps(kept)}"


@pytest.fixture(scope="session")
def data_disk(kitchen: Path) -> Path:
    """An empty volume of 12 GB."""
    disk = kitchen / "data.raw"
    with disk.open("wb") as file:
        file.truncate(12 * 1024**3)
    return disk


@pytest.fixture(scope="session")
def guest(kitchen: Path, operator: OperatorKey, host_key: HostKey) -> Iterator[Guest]:
    """A machine that is still to be created."""
    ssh_port, *web = free_ports(3)
    ports = {port: port for port in web}
    ssh = Ssh(user="debian", key_file=operator.file, host_key=host_key.public, port=ssh_port)
    guest = Guest(folder=kitchen / "guest", image=guest_image(SUITE), ssh=ssh, forwards=ports)
    yield guest
    guest.kill()


@pytest.fixture(scope="session")
def prepared(guest: Guest, rendered: str, data_disk: Path) -> Guest:
    """The machine after its first boot; the data disk was attached when first boot asked for it."""
    began = time.monotonic()
    guest.create(rendered, "first")
    guest.start()
    guest.wait_for("grep -q '^stage=disk' /var/lib/cyberhub/first-boot", 900)
    guest.attach(data_disk)
    until_ready(guest)
    print(f"\nfirst boot: {time.monotonic() - began:.0f} s")
    return guest


def until_ready(guest: Guest) -> None:
    """Wait as `pulumi up` does."""
    try:
        asyncio.run(readiness.Watch(guest.machine, None).until_ready())
    except Exception:
        print(guest.console())
        raise


def keygen(file: Path) -> str:
    """Make a key pair; its public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)], check=True)
    return " ".join(file.with_suffix(".pub").read_text().split()[:2])
