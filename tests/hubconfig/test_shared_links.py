"""Each shared folder has a link in the home, where file browsers begin; nothing of its owner's is touched."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from hubconfig.homes.inside import opened
from hubconfig.options import Culling, HubOptions, Limits
from hubconfig.pages import welcome
from hubconfig.servers.put_in import packed
from hubconfig.servers.spaces import links, put_links, shared_links
from hubconfig.space_options import FolderSpace, RcloneSpace, Space

DATA = FolderSpace(name="data", source="data", mount="/data")
USER = FolderSpace(name="user", source="user", mount="/user", read_only=False)
ARCHIVE = RcloneSpace(kind="rclone", name="archive", remote="s3:bucket", mount="/archive")


def furnish(home: Path, *spaces: Space) -> None:
    with opened(home) as inside:
        put_links(inside, spaces, "/home/user")


def found(home: Path) -> dict[str, str]:
    return {each.name: str(each.readlink()) for each in home.iterdir() if each.is_symlink()}


def test_each_space_is_in_the_file_list_by_its_name(tmp_path: Path) -> None:
    for _ in range(2):
        furnish(tmp_path, DATA, USER)
        assert found(tmp_path) == {"shared-data": "/srv/shared/data", "shared-user": "/srv/shared/user"}


def test_the_link_leads_to_the_folder_also_to_one_of_another_machine(tmp_path: Path) -> None:
    with tarfile.open(
        fileobj=io.BytesIO(packed({**links([ARCHIVE]), **shared_links([DATA, ARCHIVE])}, {}))
    ) as archive:
        inside = {f"/{each.name}": each.linkname for each in archive if each.issym()}
    assert inside["/srv/shared/data"] == "/data"
    assert inside[inside["/srv/shared/archive"]] == "/srv/spaces/archive/remote"


def test_a_space_that_is_gone_takes_its_link_along_and_nothing_else(tmp_path: Path) -> None:
    furnish(tmp_path, DATA, USER)
    own = {"shared-mine": "/srv/shared/user", "shared-old": "/data", "way": "/srv/shared/data"}
    for name, target in own.items():
        (tmp_path / name).symlink_to(target)
    (tmp_path / "shared-with-bob").mkdir()
    (tmp_path / "shared-list").write_text("a file")
    furnish(tmp_path, USER)
    assert found(tmp_path) == own | {"shared-user": "/srv/shared/user"}
    assert (tmp_path / "shared-with-bob").is_dir()
    assert (tmp_path / "shared-list").read_text() == "a file"


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_has_a_links_name_already_stays(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "shared-data"
    match kind:
        case "file":
            place.write_text("hers")
        case "folder":
            place.mkdir()
        case _:
            place.symlink_to("/home/user/elsewhere")
    before = place.lstat()
    furnish(tmp_path, DATA, USER)
    furnish(tmp_path, USER)
    assert place.lstat().st_ino == before.st_ino


def test_a_space_inside_the_home_needs_no_link(tmp_path: Path) -> None:
    furnish(tmp_path, FolderSpace(name="class", source="class", mount="/home/user/class"))
    assert found(tmp_path) == {}


def test_the_welcome_says_where_files_live_what_is_shared_and_kept_and_who_helps() -> None:
    options = HubOptions(
        title="Stars",
        contact="help@example.org",
        spaces=(DATA, USER),
        limits=Limits(home_gb=10),
        culling=Culling(idle_minutes=30, max_age_hours=48),
    )
    whole = json.loads(welcome.notebook(options, "/home/user"))
    text = whole["cells"][0]["source"]
    for said in (
        *("Stars", "`/home/user`", "10 GB", "| `shared-data` | `/data` | read |", "`shared-user`"),
        *("for 30 minutes", "after 48 hours", "[help@example.org](mailto:help@example.org)"),
    ):
        assert said in text
    assert (whole["nbformat"], whole["nbformat_minor"]) == (4, 5)
    assert len(text.splitlines()) < 30, "more than a screen"


def test_without_a_contact_and_without_spaces_nothing_is_promised() -> None:
    options = HubOptions(spaces=(), culling=Culling(idle_minutes=0))
    text = json.loads(welcome.notebook(options, "/home/user"))["cells"][0]["source"]
    assert "Shared folders" not in text
    assert "when your server ends." in text
    assert "ask whoever told you of this hub" in text
