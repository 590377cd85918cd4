"""What a folder is on, from the kernel's own words."""

from __future__ import annotations

from pathlib import Path

from infra.machine.filesystem import Filesystem, filesystem, mount_of


def mounts(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "mountinfo"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_the_nearest_mount_counts_also_for_a_folder_that_is_still_to_be_made(tmp_path: Path) -> None:
    (tmp_path / "my disk").mkdir()
    place = str(tmp_path / "my disk").replace(" ", r"\040")
    told = mounts(
        tmp_path,
        "21 1 254:0 / / rw,relatime - xfs /dev/vda rw,attr2",
        f"30 21 254:16 / {place} rw,noatime shared:9 - ext4 /dev/vdb rw,prjquota",
    )
    found = mount_of(tmp_path / "my disk" / "hub" / "data", told)
    assert found is not None
    assert found.filesystem.limits_projects
    assert (found.place, found.shared) == (tmp_path / "my disk", True)
    other = mount_of(tmp_path / "other", told)
    assert other is not None
    assert (str(other.filesystem), other.filesystem.limits_projects, other.shared) == ("xfs", False, False)


def test_of_two_mounts_at_one_place_the_last_is_seen(tmp_path: Path) -> None:
    told = mounts(
        tmp_path,
        "21 1 254:0 / / rw - ext4 /dev/vda rw,prjquota",
        "22 21 254:1 / / rw - ext4 /dev/vdb rw",
    )
    found = mount_of(tmp_path, told)
    assert found is not None
    assert str(found.filesystem) == "ext4 without prjquota"


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    told = mounts(
        tmp_path,
        "21 1 254:0 / / rw - ext4 /dev/vda rw",
        f"30 21 254:16 / {tmp_path}/disk rw - ext4 /dev/vdb rw,prjquota",
    )
    found = mount_of(tmp_path / "data", told)
    assert found is not None
    assert found.filesystem.limits_projects


def test_nothing_is_known_on_a_system_without_such_a_list(tmp_path: Path) -> None:
    assert mount_of(tmp_path, tmp_path / "none") is None


def test_this_computer_is_understood(tmp_path: Path) -> None:
    assert filesystem(tmp_path) is not None


def test_what_findmnt_says_is_read() -> None:
    assert Filesystem.of_words("ext4   rw,prjquota\n") == Filesystem("ext4", frozenset({"rw", "prjquota"}))
    assert Filesystem.of_words("\n") is None
