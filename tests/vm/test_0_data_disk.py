"""A volume with anything on it is never formatted. Needs root and loop devices, no machine."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.machine.first_boot import FILES

pytestmark = pytest.mark.vm

MB = 1024 * 1024
PROGRAM = FILES / "data-disk.sh"
SIZE = 640 * MB
"""Large enough that the program takes samples instead of reading it all."""

Disk = Callable[[int], tuple[Path, str]]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False)


def sure(*words: str) -> str:
    done = run(*words)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout.strip()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Makes a disk of so many bytes, all zeros; its file and its device."""
    devices: list[str] = []

    def make(size: int = SIZE) -> tuple[Path, str]:
        file = tmp_path / f"disk-{len(devices)}"
        with file.open("wb") as out:
            out.truncate(size)
        devices.append(sure("losetup", "--show", "--find", str(file)))
        return file, devices[-1]

    yield make
    for device in devices:
        run("umount", device)
        sure("losetup", "--detach", device)


def checksum(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def scribble(file: Path, start: int, length: int) -> None:
    with file.open("r+b") as out:
        out.seek(start)
        out.write(os.urandom(length))


def lvm(file: Path) -> None:
    """The label of an LVM physical volume, as pvcreate writes it into the second sector."""
    body = struct.pack("<I8s32s", 32, b"LVM2 001", b"x" * 32).ljust(492, b"\0")
    # LVM's own starting value for its CRC.
    crc = zlib.crc32(body, 0xF597A6CF ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
    with file.open("r+b") as out:
        out.seek(512)
        out.write(struct.pack("<8sQI", b"LABELONE", 1, crc) + body)


REFUSED: dict[str, tuple[Callable[[Path, str], object], str]] = {
    "garbage": (lambda file, _: scribble(file, 0, 4 * MB), "data without any known structure"),
    "data behind a wiped beginning": (
        lambda file, _: scribble(file, 100 * MB, SIZE - 200 * MB),
        "data without any known structure",
    ),
    "one sector at the end": (
        lambda file, _: scribble(file, SIZE - 512, 512),
        "data without any known structure",
    ),
    "vfat": (lambda _, device: sure("mkfs.vfat", "-F", "32", device), "vfat"),
    "swap": (lambda _, device: sure("mkswap", device), "swap"),
    "LVM": (lambda file, _: lvm(file), "LVM2_member"),
    "a GPT partition table": (
        lambda file, _: sure("bash", "-c", f"echo 'label: gpt\n,,L' | sfdisk --quiet --no-reread {file}"),
        "a partition table",
    ),
    "a DOS partition table": (
        lambda file, _: sure("bash", "-c", f"echo 'label: dos\n,,L' | sfdisk --quiet --no-reread {file}"),
        "a partition table",
    ),
    "two filesystems over each other": (
        lambda _, device: (sure("mkfs.vfat", "-F", "32", device), sure("mkswap", "--force", device)),
        "",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_and_left_as_it_is(what: str, disk: Disk) -> None:
    make, named = REFUSED[what]
    file, device = disk(SIZE)
    make(file, device)
    sure("blockdev", "--flushbufs", device)
    before = checksum(file)
    done = run("bash", str(PROGRAM), "prepare", device)
    sure("blockdev", "--flushbufs", device)
    assert done.returncode == 4
    assert f"{device} is not empty: it holds {named}" in done.stderr
    assert "ERASE" in done.stderr, "the way out is told, with its consequence"
    assert checksum(file) == before


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_filesystem_full_of_files_is_kept(kind: str, disk: Disk, tmp_path: Path) -> None:
    _, device = disk(SIZE)
    sure(f"mkfs.{kind}", "-q", device)
    place = tmp_path / "place"
    place.mkdir()
    sure("mount", device, str(place))
    (place / "thesis.tex").write_text("years of work")
    sure("umount", str(place))
    done = run("bash", str(PROGRAM), "prepare", device)
    assert done.returncode == 0
    assert f"holds a filesystem ({kind}), which is kept" in done.stderr
    sure("mount", device, str(place))
    assert (place / "thesis.tex").read_text() == "years of work"


def test_an_empty_volume_gets_a_filesystem_with_an_inode_for_each_4_kb(disk: Disk) -> None:
    _, device = disk(SIZE)
    done = run("bash", str(PROGRAM), "prepare", device)
    assert done.returncode == 0, done.stderr
    assert sure("blkid", "-p", "-s", "LABEL", "-o", "value", device) == "cyberhub-data"
    told = sure("dumpe2fs", "-h", device)
    inodes = next(int(line.split()[-1]) for line in told.splitlines() if line.startswith("Inode count:"))
    assert inodes == SIZE // 4096


def test_a_filesystem_that_was_just_made_is_not_made_again(disk: Disk) -> None:
    _, device = disk(SIZE)
    sure("bash", str(PROGRAM), "prepare", device)
    first = sure("blkid", "-p", "-s", "UUID", "-o", "value", device)
    sure("bash", str(PROGRAM), "prepare", device)
    assert sure("blkid", "-p", "-s", "UUID", "-o", "value", device) == first


def test_a_disk_that_cannot_be_read_is_not_empty(disk: Disk) -> None:
    file, device = disk(SIZE)
    # The device still says its old size; reading beyond the file's end fails.
    os.truncate(file, 32 * MB)
    done = run("bash", str(PROGRAM), "prepare", device)
    assert done.returncode == 4


def test_a_small_disk_is_read_whole(disk: Disk) -> None:
    file, device = disk(200 * MB)
    scribble(file, 123 * MB + 5, 1)
    with file.open("r+b") as out:
        out.seek(123 * MB + 5)
        out.write(b"x")
    assert run("bash", str(PROGRAM), "prepare", device).returncode == 4


def test_the_disk_is_found_among_its_names_and_partitions_are_passed_over(disk: Disk, tmp_path: Path) -> None:
    _, device = disk(SIZE)
    (tmp_path / "virtio-abc").symlink_to(device)
    (tmp_path / "virtio-abc-part1").symlink_to("/dev/null")
    names = [str(tmp_path / "nvme-*"), str(tmp_path / "virtio-abc*")]
    assert sure("bash", str(PROGRAM), "find", "0", *names) == device
