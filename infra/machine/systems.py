"""Which Linux a machine must have, and the words for one that it may not have."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Final

LEAST: Final[Mapping[str, tuple[str, str]]] = {
    "debian": ("apt", "12"),
    "raspbian": ("apt", "12"),
    "ubuntu": ("apt", "22.04"),
    "almalinux": ("dnf", "9"),
    "rocky": ("dnf", "9"),
    "rhel": ("dnf", "9"),
    "centos": ("dnf", "9"),
    "amzn": ("dnf", "2023"),
}
"""ID of /etc/os-release to the kind of its packages and its oldest release that is taken.

Older ones have no Docker with which servers can be sealed, an OpenSSH or a kernel that lacks what is needed,
or nobody who mends them any more.
"""

OLD: Final = ("xenial", "bionic", "focal", "jessie", "stretch", "buster", "bullseye")
"""Releases of Ubuntu and Debian that others which are too old were made from."""

TAKEN: Final = (
    "AlmaLinux, Rocky Linux or CentOS Stream 9, Debian 12 or 13, Ubuntu 22.04 or 24.04, or Amazon Linux 2023"
)

_IN_NAMES: Final = {
    "amazon linux": "amzn",
    "amazonlinux": "amzn",
    "amzn": "amzn",
    "al": "amzn",
    "red hat enterprise linux": "rhel",
    "rocky linux": "rocky",
    "centos stream": "centos",
    "oracle linux": "oracle",
    **{name: name for name in ("almalinux", "rocky", "centos", "rhel", "debian", "ubuntu")},
    **{
        name: name
        for name in ("fedora", "opensuse", "arch", "alpine", "sles", "freebsd", "windows", "cirros")
    },
}
"""What a cloud's image may be called to the ID of its system."""


def refusal(release: str) -> str | None:
    """Why a machine cannot be taken, from its /etc/os-release; None when it can.

    :param release: the file's text; empty where there is none, as on systems of before 2012.
    """
    known = _read(release)
    system, version = known.get("ID", ""), known.get("VERSION_ID", "")
    name = known.get("PRETTY_NAME") or system or "a system without /etc/os-release"
    if system in LEAST:
        return _too_old(name) if version and _older(version, LEAST[system][1]) else None
    if "debian" in known.get("ID_LIKE", "").split():
        codenames = {known.get(key) for key in ("UBUNTU_CODENAME", "DEBIAN_CODENAME", "VERSION_CODENAME")}
        return _too_old(name) if codenames & {*OLD} else None
    return f"{name} is not supported; use {TAKEN}"


def refusal_of_image(name: str) -> str | None:
    """Why a machine cannot be made of a cloud's image of this name; None when it can, or nobody knows.

    Images have names as their cloud likes: `CentOS-7-x64`, `Ubuntu-20.04-Focal-x64-2023-02`.
    """
    plain = re.sub(r"[\s_-]+", " ", name).strip().lower()
    for words, system in sorted(_IN_NAMES.items(), key=lambda each: -len(each[0])):
        found = re.match(
            rf"(?:gold |official |cloud |image )*{words}"
            r"(?: server| linux| gnu/linux| genericcloud| cloud| minimal){0,2}"
            r" ?(?P<version>v?\d+(?:\.\d+)*)?(?: |\.|$)",
            plain,
        )
        if found is None:
            continue
        if system not in LEAST:
            return f"{name} is not supported; use {TAKEN}"
        version = (found["version"] or "").lstrip("v")
        return _too_old(name) if version and _older(version, LEAST[system][1]) else None
    return None


def settings() -> dict[str, str]:
    """The same for the shell script that prepares a machine."""
    return {
        "SYSTEMS": " ".join(f"{system}:{kind}:{least}" for system, (kind, least) in LEAST.items()),
        "OLD_CODENAMES": " ".join(OLD),
        "TAKEN": TAKEN,
    }


def _too_old(name: str) -> str:
    return f"{name} is too old; use {TAKEN}"


def _older(version: str, least: str) -> bool:
    return _numbers(version) < _numbers(least)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _read(release: str) -> dict[str, str]:
    """The values of a file in the form of os-release(5); what is no such line counts for nothing."""
    found = {}
    for line in release.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            try:
                found[name] = " ".join(shlex.split(value))
            except ValueError:
                continue  # an open quote
    return found
