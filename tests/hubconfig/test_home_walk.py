"""The program that limits homes goes on whatever is in them, with few files open."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubconfig.homes import limits, projects
from hubconfig.homes.limits import HomeLimits

MB = 10**6
OPEN_MOST = 64
DEEP = 1200


class Filesystem:
    """What the kernel would note: the project of each file, by its inode."""

    def __init__(self) -> None:
        self.project: dict[int, int] = {}
        self.limit: dict[int, int] = {}
        self.broken: dict[int, int] = {}
        """Inode to the error that comes of it."""

    def attributes(self, fd: int) -> projects.Attributes:
        found = os.fstat(fd)
        if error := self.broken.get(found.st_ino):
            raise OSError(error, os.strerror(error))
        return projects.Attributes(self.project.get(found.st_ino, 0), found.st_ino in self.project)

    def put(self, fd: int, project: int, *, inherit: bool) -> None:
        self.project[os.fstat(fd).st_ino] = project


@pytest.fixture
def filesystem(monkeypatch: pytest.MonkeyPatch) -> Iterator[Filesystem]:
    fake = Filesystem()
    monkeypatch.setattr(projects, "attributes", fake.attributes)
    monkeypatch.setattr(projects, "put", fake.put)
    monkeypatch.setattr(projects, "limit", lambda _, project, most: fake.limit.update({project: most}))
    monkeypatch.setattr(projects, "is_free", lambda _, project: project not in fake.limit)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(OPEN_MOST, highest + 16), before[1]))
    yield fake
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Path]:
    for name in ("ada", "bob", "eve"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    yield tmp_path
    # Deeper than pytest itself can remove.
    subprocess.run(["rm", "-rf", *map(str, tmp_path.iterdir())], check=True)


def nest(home: Path, levels: int) -> int:
    """Make folders in folders; the inode of a file in the last."""
    here = os.open(home, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d" * 10, dir_fd=here)
        inner = os.open("d" * 10, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    file = os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    inode = os.fstat(file).st_ino
    os.close(file)
    os.close(here)
    return inode


def walked(folder: Path) -> HomeLimits:
    keeper = HomeLimits({folder: MB})
    keeper.look()
    walk = keeper.walk()
    while next(walk):
        pass
    return keeper


def test_a_tree_deeper_than_files_may_be_open_is_taken_in_whole(homes: Path, filesystem: Filesystem) -> None:
    deepest = nest(homes / "ada", DEEP)
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    walked(homes)
    assert filesystem.project[deepest] == filesystem.project[(homes / "ada").stat().st_ino]
    assert filesystem.project[(homes / "eve/file").stat().st_ino]
    assert len(list(Path("/proc/self/fd").iterdir())) <= open_before


def test_a_wide_tree_is_taken_in_whole(homes: Path, filesystem: Filesystem) -> None:
    inodes = []
    for number in range(100):
        (homes / "bob" / f"{number}/inner").mkdir(parents=True)
        (homes / "bob" / f"{number}/inner/file").touch()
        inodes.append((homes / "bob" / f"{number}/inner/file").stat().st_ino)
    walked(homes)
    assert {filesystem.project[inode] for inode in inodes} == {
        filesystem.project[(homes / "bob").stat().st_ino]
    }


@pytest.mark.parametrize("error", [errno.EIO, errno.EMFILE, errno.EUCLEAN, errno.EACCES])
def test_a_home_that_cannot_be_read_is_told_and_the_next_goes_on(
    homes: Path, filesystem: Filesystem, capsys: pytest.CaptureFixture[str], error: int
) -> None:
    filesystem.broken[(homes / "ada").stat().st_ino] = error
    walked(homes)
    assert f"{homes}/ada is left as it is: [Errno {error}]" in capsys.readouterr().out
    assert filesystem.project[(homes / "bob/file").stat().st_ino]
    assert filesystem.project[(homes / "eve/file").stat().st_ino]


def test_what_is_no_file_or_is_swapped_harms_nothing(homes: Path, filesystem: Filesystem) -> None:
    os.mkfifo(homes / "ada/pipe")
    (homes / "ada/loop").symlink_to(homes / "ada")
    (homes / "ada/away").symlink_to("/etc")
    os.close(os.open(bytes(homes) + b"/ada/\xff\n-rf", os.O_CREAT | os.O_WRONLY))
    walked(homes)
    assert Path("/etc").stat().st_ino not in filesystem.project


def test_a_folder_that_is_moved_while_it_is_walked_ends_only_that_walk(
    homes: Path, filesystem: Filesystem, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (homes / "ada/one/two").mkdir(parents=True)
    (homes / "elsewhere").mkdir()
    real = limits._take_in

    def moving(name: str, folder: int, project: int) -> bool:
        if name == "two":
            (homes / "ada/one").rename(homes / "elsewhere/one")
        return real(name, folder, project)

    monkeypatch.setattr(limits, "_take_in", moving)
    walked(homes)
    assert f"{homes}/ada is left as it is: [Errno {errno.ESTALE}]" in capsys.readouterr().out
    assert filesystem.project[(homes / "bob/file").stat().st_ino]
