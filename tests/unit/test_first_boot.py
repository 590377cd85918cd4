"""What is put on a machine to prepare it."""

from __future__ import annotations

import dataclasses
import shlex
import subprocess
from pathlib import Path

import pytest

from infra.clouds.aws import facts as ec2
from infra.clouds.openstack import facts as openstack
from infra.machine.first_boot import FILES, FirstBoot, digest, host_files

OURS = FirstBoot(
    user="almalinux", data_dir="/mnt", data_disk=("/dev/disk/by-id/*x*", "/dev/xvdf"), ours_alone=True
)


def settings_of(first_boot: FirstBoot) -> str:
    return next(file.text for file in host_files(first_boot) if file.path.endswith("first-boot.conf"))


def test_a_shell_reads_the_settings_as_they_were_meant(tmp_path: Path) -> None:
    odd = dataclasses.replace(OURS, data_dir="/srv/it's a $(touch pwned) folder")
    (tmp_path / "conf").write_text(settings_of(odd))
    said = subprocess.run(
        ["bash", "-c", '. ./conf; printf "%s\n" "$USER_NAME" "$DATA_DIR" "$DATA_DISK" "$OURS_ALONE"'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines() == ["almalinux", odd.data_dir, "/dev/disk/by-id/*x* /dev/xvdf", "yes"]
    assert not (tmp_path / "pwned").exists()


def test_the_same_machine_is_prepared_in_the_same_way() -> None:
    assert digest(OURS) == digest(dataclasses.replace(OURS))


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(OURS, user="debian"),
        dataclasses.replace(OURS, data_dir="/srv"),
        dataclasses.replace(OURS, data_disk=()),
        dataclasses.replace(OURS, ours_alone=False),
    ],
)
def test_another_setting_asks_for_preparing_anew(other: FirstBoot) -> None:
    assert digest(other) != digest(OURS)


def test_every_file_for_the_machine_arrives_and_only_programs_may_run() -> None:
    files = {file.path: file for file in host_files(OURS)}
    assert len(files) == len(list(FILES.glob("*.sh"))) + len(list(FILES.glob("*.service"))) + 1
    for path, file in files.items():
        assert (file.mode == 0o755) == path.startswith("/usr/local/sbin/")
        assert file.text.startswith("#!/bin/bash") == (file.mode == 0o755)


def test_every_program_that_a_unit_starts_is_one_of_the_files() -> None:
    files = host_files(OURS)
    ours = {file.path for file in files}
    started = [
        shlex.split(line.partition("=")[2])[0].lstrip("-")
        for file in files
        if file.path.endswith(".service")
        for line in file.text.splitlines()
        if line.startswith("ExecStart=")
    ]
    assert {path for path in started if path.startswith("/usr/local/")} <= ours
    assert len(started) >= 4


def test_a_cinder_volume_is_found_on_virtio_and_on_scsi(tmp_path: Path) -> None:
    volume = "6f1c2a9e-88d1-4f0b-9d2c-7f1e4a5b6c7d"
    (pattern,) = openstack.disk(volume)
    links = [f"virtio-{volume[:20]}", f"scsi-0QEMU_QEMU_HARDDISK_{volume}", "virtio-00000000-0000-0000-0"]
    for link in links:
        (tmp_path / link).touch()
    found = sorted(path.name for path in tmp_path.glob(Path(pattern).name))
    assert found == sorted(links[:2])


def test_an_ebs_volume_is_found_by_its_id_before_its_place() -> None:
    names = ec2.disk("vol-0a1b2c3d4e5f67890")
    assert names[0].endswith("nvme-Amazon_Elastic_Block_Store_vol0a1b2c3d4e5f67890*")
    assert names[1:] == ("/dev/xvdf", "/dev/sdf")


@pytest.mark.parametrize("arguments", [[], ["format", "/dev/null"], ["help"]])
def test_the_disk_program_does_nothing_it_was_not_told(arguments: list[str]) -> None:
    done = subprocess.run(
        ["bash", str(FILES / "data-disk.sh"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 64
    assert "usage:" in done.stderr


def test_a_disk_that_is_not_there_is_named() -> None:
    done = subprocess.run(
        ["bash", str(FILES / "data-disk.sh"), "find", "0", "/dev/disk/by-id/*nowhere*"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr == "the data disk is not attached (looked for /dev/disk/by-id/*nowhere*)\n"
