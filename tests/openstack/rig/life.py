"""The rig from nothing to a project that a research group could be given, and back."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Final

from openstack.config import OpenStackConfig
from openstack.connection import Connection

from tests.openstack.rig import box, operators
from tests.vm.guest_image import GuestImage, guest_image
from tools.toolchain import apt
from tools.toolchain.console import say
from tools.toolchain.places import cache

SUITE = "bookworm"
"""The Debian that the cloud's image holds."""


_PROGRAMS: Final = {"mmdebstrap": "mmdebstrap", "qemu-img": "qemu-utils"}
"""What images are made with, and Debian's packages that hold it."""

_FIRST_BOOTS: Final = (
    *("git", "wget", "xfsprogs", "sshfs", "iptables", "unattended-upgrades", "apparmor"),
    *("docker.io", "ca-certificates"),
)
"""What first boot would install."""


def newer_image() -> GuestImage:
    """An image that has the packages which first boot would install, Docker too: emulation takes long."""
    return guest_image(SUITE, more=_FIRST_BOOTS)


def clouds_yaml() -> Path:
    """The credentials of the rig that is up."""
    return cache() / "openstack-rig" / "clouds.yaml"


def is_up() -> bool:
    """Whether the rig runs and its project is there."""
    return clouds_yaml().exists() and box.place() is not None


def connect(entry: str) -> Connection:
    """Sign in with an entry of clouds.yaml: `arbutus`, `member` or `operator`."""
    known = OpenStackConfig(config_files=[str(clouds_yaml())], load_envvars=False)
    return Connection(config=known.get_one(entry))


def up() -> None:
    """Have the rig; says what took how long."""
    if is_up():
        return
    down()
    began = time.monotonic()

    def passed(what: str) -> None:
        say(f"rig, {time.monotonic() - began:4.0f} s: {what}")

    _have_programs()
    passed("making the cloud's image; once, some minutes")
    image = guest_image(SUITE)
    passed("the cloud's image is there; starting the container, with databases and keystone")
    place = box.create()
    passed("keystone answers; registering and starting the services")
    with operators.connect(place) as cloud:
        operators.register(cloud, place)
    start_services()
    operators.wait_until_ready(place, passed)
    passed("all services are up; uploading the image, making the project")
    with operators.connect(place) as cloud:  # anew: a token holds the catalog as it was
        operators.offer(cloud, place, image)
        clouds_yaml().parent.mkdir(parents=True, exist_ok=True)
        operators.give_project(cloud, place, clouds_yaml())
    passed("the project is there")


def _have_programs() -> None:
    missing = sorted(package for program, package in _PROGRAMS.items() if shutil.which(program) is None)
    if missing:
        otherwise = f"The rig needs {', '.join(missing)}; install them, then start it again as root."
        apt.install(missing, usually="a minute", otherwise=otherwise)


def start_services() -> None:
    """Start what waits for users and catalog."""
    box.run("supervisorctl", "start", "services:*")


def down() -> None:
    """Take all of it away."""
    clouds_yaml().unlink(missing_ok=True)
    box.remove()
