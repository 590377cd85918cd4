"""Systems that are too old or unusual are refused by name and version, before anything is changed.

A file of `systems` is a machine's /etc/os-release; its name says what becomes of it.
"""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.machine import systems
from infra.machine.first_boot import FILES

SYSTEMS = Path(__file__).with_name("systems")
RELEASES = sorted(file.name for file in SYSTEMS.iterdir())


def told_by_the_script(release: Path) -> str | None:
    """What first boot says of a system: its own function, with what its settings give it."""
    script = (FILES / "first-boot.sh").read_text()
    functions = "\n".join(
        script[script.index(f"\n{name}() {{") :].partition("\n}\n")[0] + "\n}"
        for name in ("older", "choose_family")
    )
    given = "\n".join(f"{name}={shlex.quote(value)}" for name, value in systems.settings().items())
    whole = (
        f"set -euo pipefail\nfamily=''\n{given}\n. {shlex.quote(str(release))}\n"
        f'give_up() {{ echo "$*"; exit 2; }}\n{functions}\nchoose_family\n'
        "[[ $family == apt || $family == dnf ]]"
    )
    done = subprocess.run(
        ["bash", "-c", whole], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert done.returncode in (0, 2), done.stderr
    assert not done.stderr
    return done.stdout.strip() if done.returncode else None


@pytest.mark.parametrize("name", RELEASES)
def test_a_system_is_taken_or_refused_by_its_own_name(name: str) -> None:
    text = (SYSTEMS / name).read_text()
    told = systems.refusal(text)
    assert told == told_by_the_script(SYSTEMS / name), "this program and first boot are of one mind"
    if name.startswith("taken-"):
        assert told is None
        return
    pretty = text.partition('PRETTY_NAME="')[2].partition('"')[0]
    kind = "is too old" if name.startswith("too-old-") else "is not supported"
    assert told is not None
    assert told.startswith(f"{pretty} {kind}; use AlmaLinux")


@pytest.mark.parametrize("text", ["", "ID=\n", "no such line\n", 'PRETTY_NAME="CentOS release 6'])
def test_a_system_that_does_not_say_what_it_is_is_refused(text: str) -> None:
    assert "is not supported; use" in (systems.refusal(text) or "")


@pytest.mark.parametrize(
    ("image", "old"),
    [
        ("CentOS-7-x64-2020-11", True),
        ("CentOS 7", True),
        ("centos7", True),
        ("CentOS-Stream-8", True),
        ("Ubuntu-20.04-Focal-x64-2023-02", True),
        ("ubuntu_server_18.04", True),
        ("Debian-11.3.0-Bullseye-x64-2022-04", True),
        ("debian-10-openstack-amd64", True),
        ("AlmaLinux-8.10-x64-2024-05", True),
        ("Rocky Linux 8", True),
        ("amzn2-ami-hvm-2.0", True),
        ("GOLD CentOS 7", True),
        ("Debian GNU/Linux 11 (bullseye)", True),
        ("ubuntu-minimal-20.04", True),
        ("Ubuntu Server 22.04 LTS", False),
        ("CentOS-Stream-9", False),
        ("AlmaLinux-9", False),
        ("AlmaLinux-9.4-x64-2024-05", False),
        ("Debian-12.7.0-Bookworm-x64-2024-09", False),
        ("Ubuntu-24.04.1-Noble-x64-2024-10", False),
        ("Rocky-9", False),
        ("al2023-ami-2023.6", False),
        ("debian", False),
        ("my-own-7-image", False),
        ("almalinux-golden-2024", False),
    ],
)
def test_an_image_whose_name_tells_an_old_system_is_refused(image: str, *, old: bool) -> None:
    told = systems.refusal_of_image(image)
    assert told == (f"{image} is too old; use {systems.TAKEN}" if old else None)


@pytest.mark.parametrize(
    "image",
    [
        "Fedora-Cloud-Base-41",
        "openSUSE-Leap-15.6",
        "Arch-Linux",
        "Windows-Server-2022",
        "cirros-0.6.2",
        "alpine-3.20",
    ],
)
def test_an_image_of_an_unknown_system_is_refused(image: str) -> None:
    assert systems.refusal_of_image(image) == f"{image} is not supported; use {systems.TAKEN}"


@given(st.text())
@settings(deadline=None)
def test_no_file_and_no_name_is_too_odd_to_be_told_of(text: str) -> None:
    for told in (systems.refusal(text), systems.refusal(f"ID=debian\nVERSION_ID={text}")):
        assert told is None or "; use AlmaLinux" in told
    told = systems.refusal_of_image(text)
    assert told is None or told.startswith(text)
