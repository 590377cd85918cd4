"""Limits of homes on a real kernel: they hold, they tell, and nobody gets round them.

In order: each test goes on where the last stopped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.kernel.linux import ROOT, Done, Linux, needed, running

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to others")

HOMES = "/run/data/jupyterhub_users"
COURSE = "/run/data/cyberhub/course/jupyterhub_users"
LIMIT_MB = 20
LOG = "/run/home-limits.log"
KB = 1024

RIGHTS = (
    "setpriv",
    "--no-new-privs",
    "--bounding-set=-all,+dac_read_search,+fowner,+sys_admin,+sys_resource",
    "--inh-caps=-all",
)
"""What its container has."""

ROOMS = """\
import json, sys
from pathlib import Path
from hubconfig.homes.homes import Homes
rooms = Homes(Path(sys.argv[1]), "", 1.0).usages()
print(json.dumps({user: [str(room), room.full] for user, room in rooms.items()}))
"""

ATTACK = """\
import ctypes, errno, fcntl, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(sys.argv[1])
file, folder = os.open("mine", os.O_RDWR | os.O_CREAT), os.open(".", os.O_RDONLY)
def tell(what, code):
    print(what, "refused" if code else "DONE", errno.errorcode[ctypes.get_errno()] if code else "")
attributes = ctypes.create_string_buffer(struct.pack("5I8x", 0, 0, 0, 0, 0))
flags = ctypes.create_string_buffer(struct.pack("q", 0))
for what, fd, request, data in (
    ("another-project", file, 0x401C5820, attributes),
    ("no-inheritance", folder, 0x40086602, flags),
):
    tell(what, libc.ioctl(fd, ctypes.c_ulong(request), data))
    # The kernel looks at the low half only; a filter that compares all of it is passed by.
    tell(what + "-high", libc.syscall(16, fd, ctypes.c_ulong(request | 1 << 32), data))
tell("file-setattr", libc.syscall(469, -100, b"mine", attributes, ctypes.c_size_t(28), 0))
"""


@pytest.fixture(scope="module")
def linux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linux]:
    needed()
    folder = tmp_path_factory.mktemp("linux")
    disks = {"with": ["-O", "project,quota", "-E", "quotatype=prjquota"], "without": []}
    for name, options in disks.items():
        with (folder / name).open("wb") as disk:
            disk.truncate(400 * KB * KB)
        subprocess.run(["mkfs.ext4", "-q", "-i", "4096", *options, str(folder / name)], check=True)
    with running(*(folder / name for name in disks), log=folder / "log") as started:
        started.sure("mkdir", "/run/data", "/run/plain")
        started.sure("mount", "-o", "prjquota", "/dev/ubda", "/run/data")
        started.sure("mount", "/dev/ubdb", "/run/plain")
        started.sure("mkdir", "-p", HOMES, COURSE)
        yield started


class Keeper:
    """The program that limits homes, started anew with each change of the settings."""

    def __init__(self, linux: Linux) -> None:
        self._linux = linux
        self._number: int | None = None

    def start(self, **limits_mb: int) -> None:
        """Start it in place of the one that runs, with a limit for each folder."""
        self.stop()
        folders = {"homes": HOMES, "course": COURSE}
        words = [f"{folders[name]}={mb / 1000}" for name, mb in limits_mb.items()]
        program = [*RIGHTS, "python3", "-m", "hubconfig.homes.limits"]
        self._number = self._linux.start(*program, *words, log=LOG, PYTHONPATH=str(ROOT))
        until(lambda: "every home has its limit" in self.said, "homes have limits")

    def stop(self) -> None:
        """Stop it as Docker does."""
        if self._number is not None:
            self._linux.sure("kill", str(self._number))
            until(lambda: "the limits are lifted" in self.said, "the limits are lifted")
            self._number = None

    @property
    def said(self) -> str:
        return self._linux.sure("cat", LOG)


@pytest.fixture(scope="module")
def keeper(linux: Linux) -> Keeper:
    return Keeper(linux)


def until(true: Callable[[], bool], what: str, within_s: float = 20) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, f"still not: {what}"
        time.sleep(0.1)


def make_home(linux: Linux, folder: str, user: str) -> str:
    """As the hub makes it."""
    linux.sure("install", "-d", "-m", "0700", "-o", "1000", "-g", "100", f"{folder}/{user}")
    return f"{folder}/{user}"


def write(linux: Linux, file: str, mb: int) -> Done:
    return linux.run("dd", "if=/dev/zero", f"of={file}", "bs=1000000", f"count={mb}", user=1000)


def room_mb(linux: Linux, home: str) -> tuple[int, int]:
    """Used and whole, as `df` tells their owner."""
    used, whole = (
        linux.sure("df", "--block-size=MB", "--output=used,size", home, user=1000).splitlines()[1].split()
    )
    return int(used[:-2]), int(whole[:-2])


def project(linux: Linux, path: str) -> int:
    return int(linux.sure("lsattr", "-pd", path).split()[0])


def test_without_project_quotas_it_ends_and_says_why(linux: Linux) -> None:
    done = linux.run("python3", "-m", "hubconfig.homes.limits", "/run/plain=1", PYTHONPATH=str(ROOT))
    assert done.code == 1
    assert "hub.limits.homeGb cannot be kept" in done.err
    assert "Traceback" not in done.err


def test_a_filesystem_that_only_counts_does_not_do(linux: Linux) -> None:
    linux.sure("umount", "/run/data")
    linux.sure("mount", "/dev/ubda", "/run/data")
    done = linux.run("python3", "-m", "hubconfig.homes.limits", f"{HOMES}=1", PYTHONPATH=str(ROOT))
    assert (done.code, "is not mounted with prjquota" in done.err) == (1, True), done.err
    linux.sure("umount", "/run/data")
    linux.sure("mount", "-o", "prjquota", "/dev/ubda", "/run/data")


def test_homes_that_were_there_before_have_their_files_counted(linux: Linux, keeper: Keeper) -> None:
    home = make_home(linux, HOMES, "ada")
    linux.sure("mkdir", "-p", f"{home}/thesis/figures", user=1000)
    linux.sure("touch", "/run/data/theirs")
    linux.sure("ln", "-s", "/run/data/theirs", f"{home}/link", user=1000)
    linux.sure("mkfifo", f"{home}/pipe", user=1000)
    write(linux, f"{home}/thesis/figures/one", 8)
    keeper.start(homes=LIMIT_MB, course=LIMIT_MB)
    until(lambda: room_mb(linux, home)[0] >= 8, "her 8 MB are counted")
    assert room_mb(linux, home)[1] == LIMIT_MB
    assert project(linux, "/run/data/theirs") == 0


def test_a_new_home_has_its_limit_within_a_second(linux: Linux) -> None:
    home = make_home(linux, HOMES, "bob")
    until(lambda: room_mb(linux, home)[1] == LIMIT_MB, "his home has a limit", within_s=2)


def test_writing_ends_at_the_limit_and_goes_on_after_deleting(linux: Linux) -> None:
    home = f"{HOMES}/ada"
    done = write(linux, f"{home}/big", 30)
    assert (done.code, "Disk quota exceeded" in done.err) == (1, True), done.err
    assert room_mb(linux, home) == (LIMIT_MB, LIMIT_MB)
    linux.sure("rm", f"{home}/big", user=1000)
    assert write(linux, f"{home}/small", 10).code == 0


def test_the_hub_tells_the_numbers(linux: Linux) -> None:
    write(linux, f"{HOMES}/ada/big", 30)
    told = json.loads(linux.sure(sys.executable, "-c", ROOMS, HOMES, PYTHONPATH=str(ROOT)))
    assert told["ada"] == ["20 of 20 MB", True]
    assert told["bob"] == ["0 of 20 MB", False]
    linux.sure("rm", f"{HOMES}/ada/big", user=1000)


def test_people_do_not_take_each_others_space(linux: Linux) -> None:
    write(linux, f"{HOMES}/ada/big", 30)
    assert write(linux, f"{HOMES}/bob/big", LIMIT_MB - 1).code == 0
    for user in ("ada", "bob"):
        linux.sure("rm", f"{HOMES}/{user}/big", user=1000)


def test_the_same_person_has_a_home_and_a_limit_on_each_hub(linux: Linux) -> None:
    home = make_home(linux, COURSE, "ada")
    until(lambda: room_mb(linux, home)[1] == LIMIT_MB, "the second home has a limit")
    assert project(linux, home) != project(linux, f"{HOMES}/ada")


def test_empty_files_end_too(linux: Linux) -> None:
    made = linux.run("sh", "-c", f"cd {HOMES}/bob && seq 1 6000 | xargs touch", user=1000)
    assert "Disk quota exceeded" in made.err
    count = int(linux.sure("sh", "-c", f"ls {HOMES}/bob | wc -l", user=1000))
    assert LIMIT_MB * 1_000_000 // 4096 - 10 < count < LIMIT_MB * 1_000_000 // 4096
    linux.sure("sh", "-c", f"rm -r {HOMES}/bob/*", user=1000)


def test_a_limit_is_raised_and_lowered_under_open_files(linux: Linux, keeper: Keeper) -> None:
    writer = linux.start("dd", "if=/dev/zero", f"of={HOMES}/ada/log", "bs=1000", "count=1", log="/run/dd")
    keeper.start(homes=2 * LIMIT_MB, course=LIMIT_MB)
    assert room_mb(linux, f"{HOMES}/ada")[1] == 2 * LIMIT_MB
    assert room_mb(linux, f"{COURSE}/ada")[1] == LIMIT_MB
    assert write(linux, f"{HOMES}/ada/big", LIMIT_MB).code == 0
    # Below what is there: nothing is lost, nothing more fits, and what goes makes room.
    keeper.start(homes=LIMIT_MB, course=LIMIT_MB)
    assert write(linux, f"{HOMES}/ada/more", 1).code == 1
    assert int(linux.sure("stat", "-c", "%s", f"{HOMES}/ada/big")) == LIMIT_MB * 1_000_000
    linux.sure("rm", f"{HOMES}/ada/big", user=1000)
    assert write(linux, f"{HOMES}/ada/more", 1).code == 0
    assert writer


def test_projects_stay_when_the_machine_starts_anew(linux: Linux, keeper: Keeper) -> None:
    before = {path: project(linux, path) for path in (f"{HOMES}/ada", f"{HOMES}/bob", f"{COURSE}/ada")}
    keeper.stop()
    linux.sure("umount", "/run/data")
    linux.sure("mount", "-o", "prjquota", "/dev/ubda", "/run/data")
    keeper.start(homes=LIMIT_MB, course=LIMIT_MB)
    assert {path: project(linux, path) for path in before} == before
    assert len(set(before.values())) == 3


def test_a_home_that_moved_away_keeps_its_project_to_itself(linux: Linux) -> None:
    gone = make_home(linux, HOMES, "zoe")
    until(lambda: room_mb(linux, gone)[1] == LIMIT_MB, "her home has a limit")
    write(linux, f"{gone}/kept", 1)
    taken = project(linux, gone)
    linux.sure("mv", gone, "/run/data/zoe-left")
    new = make_home(linux, HOMES, "zac")
    until(lambda: room_mb(linux, new)[1] == LIMIT_MB, "the next home has a limit")
    assert project(linux, new) != taken


def test_two_homes_with_one_project_are_parted(linux: Linux) -> None:
    home = make_home(linux, HOMES, "eve")
    linux.sure("chattr", "-p", str(project(linux, f"{HOMES}/ada")), home)
    linux.sure("chattr", "+P", home)
    linux.sure("touch", HOMES)
    until(lambda: project(linux, home) != project(linux, f"{HOMES}/ada"), "eve's home is her own")


def test_an_unsealed_process_gets_away_and_is_caught_by_the_next_look(linux: Linux, keeper: Keeper) -> None:
    """Why servers are sealed: Linux lets owners do this. Also, what a walk is for."""
    home = f"{HOMES}/ada"
    linux.sure("touch", f"{home}/away", user=1000)
    linux.sure("chattr", "-p", "0", f"{home}/away", user=1000)
    write_more = f"conv=notrunc of={home}/away"
    linux.sure("dd", "if=/dev/zero", *write_more.split(), "bs=1000000", "count=30", user=1000)
    keeper.start(homes=LIMIT_MB, course=LIMIT_MB)
    until(lambda: project(linux, f"{home}/away") == project(linux, home), "it is taken in")
    assert "1 files and folders of " in keeper.said
    assert write(linux, f"{home}/more", 1).code == 1
    linux.sure("rm", f"{home}/away", user=1000)


@pytest.mark.parametrize("what", ["another-project", "no-inheritance"])
def test_the_attack_works_without_the_seal(linux: Linux, what: str) -> None:
    home = make_home(linux, "/run/data", "trial")
    linux.sure("chattr", "-p", "7", "+P", home)
    told = linux.sure("python3", "-c", ATTACK, home, user=1000)
    assert f"{what} DONE" in told
    assert f"{what}-high DONE" in told


def test_without_the_program_nobody_is_limited(linux: Linux, keeper: Keeper) -> None:
    keeper.stop()
    assert write(linux, f"{HOMES}/bob/big", 2 * LIMIT_MB).code == 0
