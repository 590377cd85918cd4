"""A home gets what the image keeps in its own: once, over nothing, and never beyond the home."""

from __future__ import annotations

import errno
import io
import os
import tarfile
from pathlib import Path

import pytest

from hubconfig.homes import start_files
from hubconfig.homes.inside import is_noted, new_file, note, opened
from hubconfig.homes.start_files import TooMuchError, unpack


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "homes/ada"
    made.mkdir(parents=True)
    return made


class Image:
    """An image's home, as Docker gives it."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._bytes, mode="w")  # noqa: SIM115 - closed by `archive`

    def file(self, path: str, content: bytes = b"of the image", mode: int = 0o644) -> Image:
        entry = tarfile.TarInfo(path)
        entry.size, entry.mode = len(content), mode
        self._tar.addfile(entry, io.BytesIO(content))
        return self

    def other(self, path: str, kind: bytes, link: str = "") -> Image:
        entry = tarfile.TarInfo(path)
        entry.type, entry.linkname, entry.mode = kind, link, 0o755
        self._tar.addfile(entry)
        return self

    def into(self, home: Path) -> int:
        self._tar.close()
        whole = self._bytes.getvalue()
        with opened(home) as inside:
            return unpack((whole[at : at + 700] for at in range(0, len(whole), 700)), inside)


def test_notebooks_folders_and_links_come_along(home: Path) -> None:
    image = (
        Image()
        .other("user", tarfile.DIRTYPE)
        .file("user/start.ipynb")
        .file("user/deep/er/run.sh", mode=0o755)
    )
    image.other("user/empty", tarfile.DIRTYPE).other("user/newest", tarfile.SYMTYPE, "start.ipynb")
    assert image.into(home) == 3
    assert (home / "newest").read_text() == "of the image"
    assert os.access(home / "deep/er/run.sh", os.X_OK)
    assert list((home / "empty").iterdir()) == []


def test_what_is_there_stays_whatever_it_is(home: Path, tmp_path: Path) -> None:
    (home / "start.ipynb").write_text("changed by Ada")
    (home / "work").write_text("a file where the image has a folder")
    (home / "notes").mkdir()
    (home / "lost").symlink_to("/nowhere")
    image = Image().file("user/start.ipynb").file("user/work/a").file("user/notes").file("user/lost")
    assert image.file("user/new").into(home) == 1
    assert (home / "start.ipynb").read_text() == "changed by Ada"
    assert (home / "work").is_file()
    assert list((home / "notes").iterdir()) == []
    assert not (home / "lost").exists()
    assert (home / "new").read_text() == "of the image"


@pytest.mark.parametrize(
    "path", ["user/../../out", "/user/out", "../out", "user/way/out", "user/hers/out", "user/hers/deeper/out"]
)
def test_nothing_is_written_beyond_the_home(home: Path, tmp_path: Path, path: str) -> None:
    elsewhere = tmp_path / "state"
    elsewhere.mkdir()
    (home / "hers").symlink_to(elsewhere)  # its owner's
    image = Image().other("user/way", tarfile.SYMTYPE, str(elsewhere)).file(path)  # the image's
    image.into(home)
    assert list(elsewhere.iterdir()) == []
    assert not (tmp_path / "out").exists()
    assert not (home.parent / "out").exists()


def test_devices_and_pipes_stay_in_the_image(home: Path) -> None:
    image = Image().other("user/pipe", tarfile.FIFOTYPE).other("user/disk", tarfile.BLKTYPE)
    assert image.into(home) == 0
    assert list(home.iterdir()) == []


def test_nobody_gets_a_file_that_acts_as_somebody_else(home: Path) -> None:
    Image().file("user/tool", mode=0o6777).into(home)
    assert (home / "tool").stat().st_mode & 0o7777 == 0o755


def test_an_environment_in_an_images_home_is_not_copied_to_everybody(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_files, "MOST_FILES", 2)
    with pytest.raises(TooMuchError, match="more than 2 files"):
        Image().file("user/1").file("user/2").file("user/3").into(home)


def test_a_file_that_did_not_fit_is_not_left_in_half(home: Path) -> None:
    def fill(inside: int) -> None:
        with new_file(inside, "start.ipynb") as file:
            file.write(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with opened(home) as inside, pytest.raises(OSError, match="No space"):
        fill(inside)
    assert list(home.iterdir()) == []


def test_a_note_is_kept_and_cannot_be_led_elsewhere(home: Path, tmp_path: Path) -> None:
    with opened(home) as inside:
        assert not is_noted(inside, "welcomed")
        note(inside, "welcomed")
        note(inside, "welcomed")
        assert is_noted(inside, "welcomed")
    (tmp_path / "eve").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "eve/.cyberhub").symlink_to(tmp_path / "state")
    with opened(tmp_path / "eve") as inside:
        assert is_noted(inside, "welcomed"), "or the hub would try for ever"
        with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
            note(inside, "welcomed")
    assert list((tmp_path / "state").iterdir()) == []


def test_a_home_that_is_a_link_is_not_entered(home: Path, tmp_path: Path) -> None:
    (tmp_path / "homes/eve").symlink_to(home)
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"), opened(tmp_path / "homes/eve"):
        pass
