"""Homes belong to their owners, and no trick leads elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from hubconfig.homes.homes import Homes
from hubconfig.servers.not_started import NotStartedError


@pytest.fixture
def homes(tmp_path: Path) -> Homes:
    return Homes(tmp_path, "/mnt/jupyterhub_users")


def test_a_home_is_its_owners_alone_from_the_first_moment(homes: Homes) -> None:
    assert homes.prepare("ada") == "/mnt/jupyterhub_users/ada"
    assert (homes.here / "ada").stat().st_mode & 0o777 == 0o700


def test_a_home_that_is_there_stays_as_it_is(homes: Homes) -> None:
    homes.prepare("ada")
    (homes.here / "ada" / "file").write_text("kept")
    homes.prepare("ada")
    assert (homes.here / "ada" / "file").read_text() == "kept"


@pytest.mark.parametrize("name", ["..", "a/b", "/etc", "A", "a b", ""])
def test_a_name_that_is_no_name_gets_no_home(homes: Homes, name: str) -> None:
    with pytest.raises(NotStartedError):
        homes.prepare(name)
    assert list(homes.here.iterdir()) == []


def test_a_link_in_a_homes_place_is_refused(homes: Homes, tmp_path: Path) -> None:
    (homes.here / "ada").symlink_to("/")
    with pytest.raises(NotStartedError, match="not a folder"):
        homes.prepare("ada")


def test_a_full_disk_is_told_with_its_numbers(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    full = SimpleNamespace(f_bavail=10, f_frsize=1024**2, f_blocks=180 * 1024)
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    with pytest.raises(NotStartedError, match="10 MB of 184320 MB are free") as caught:
        homes.prepare("ada")
    assert caught.value.status_code == 507
