"""Shared folders inside homes: the way there is the owner's, and nothing of theirs is harmed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hubconfig.homes.ways import make_folders, make_links
from hubconfig.servers.spaces import links, make_ways
from hubconfig.space_options import FolderSpace, RcloneSpace

HOME = "/home/user"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "ada"
    folder.mkdir()
    return folder


def folder(mount: str, name: str = "data") -> FolderSpace:
    return FolderSpace(name=name, source=name, mount=mount)


def remote(mount: str) -> RcloneSpace:
    return RcloneSpace(kind="rclone", name="lake", remote="lake:", mount=mount)


def test_every_folder_on_the_way_is_the_owners(home: Path) -> None:
    assert make_ways(home, HOME, [folder(f"{HOME}/projects/shared/data")]) == []
    made = [home / "projects", home / "projects/shared", home / "projects/shared/data"]
    assert [(place.stat().st_uid, oct(place.stat().st_mode)[-3:]) for place in made] == [
        (os.getuid(), "755")
    ] * 3


def test_what_is_there_stays_as_it_is(home: Path) -> None:
    (home / "projects/shared").mkdir(parents=True, mode=0o700)
    (home / "projects/mine.txt").write_text("mine")
    assert make_ways(home, HOME, [folder(f"{HOME}/projects/shared")]) == []
    assert make_ways(home, HOME, [folder(f"{HOME}/projects/shared")]) == []
    assert (home / "projects/mine.txt").read_text() == "mine"
    assert oct((home / "projects/shared").stat().st_mode)[-3:] == "700"


def test_a_remote_folder_is_a_link_of_the_owners_and_not_of_docker(home: Path) -> None:
    assert make_ways(home, HOME, [remote(f"{HOME}/far/lake")]) == []
    assert str((home / "far/lake").readlink()) == "/srv/spaces/lake/remote"
    assert (home / "far/lake").lstat().st_uid == os.getuid()
    assert links([remote(f"{HOME}/far/lake")], outside=HOME) == {}
    assert links([remote("/lake")], outside=HOME) == {"/lake": "/srv/spaces/lake/remote"}


def test_a_folder_elsewhere_makes_nothing_in_the_home(home: Path) -> None:
    assert make_ways(home, HOME, [folder("/data"), remote("/lake"), folder("/home/users/x", "x")]) == []
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("at", ["projects", "projects/shared"])
def test_no_link_of_the_owner_leads_the_hub_elsewhere(at: str, home: Path, tmp_path: Path) -> None:
    """The hub could write where its owner cannot."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (home / at).parent.mkdir(exist_ok=True)
    (home / at).symlink_to(elsewhere)
    wanted = f"{HOME}/projects/shared/data"
    assert make_ways(home, HOME, [folder(wanted)]) == [wanted]
    assert make_links(home, {"projects/shared/data": "/x"}) == ["projects/shared/data"]
    assert list(elsewhere.iterdir()) == []


def test_a_file_in_the_way_stays_and_the_folder_is_left_out(home: Path) -> None:
    (home / "shared").write_text("mine")
    assert make_folders(home, ["shared", "other"]) == ["shared"]
    assert make_links(home, {"shared": "/x"}) == ["shared"]
    assert (home / "shared").read_text() == "mine"
    assert (home / "other").is_dir()


def test_a_link_to_somewhere_else_is_the_owners_own(home: Path) -> None:
    (home / "lake").symlink_to("/elsewhere")
    assert make_links(home, {"lake": "/srv/spaces/lake/remote"}) == ["lake"]
    assert str((home / "lake").readlink()) == "/elsewhere"
