"""What the hub makes of homes' limits: whom it lets start, and what it says."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hubconfig.homes import homes as homes_module
from hubconfig.homes import seal as sealed
from hubconfig.homes.homes import Homes, Room
from hubconfig.options import Application, Limits
from hubconfig.servers.menu import Menu, options_from_form
from hubconfig.servers.not_started import NotStartedError
from hubconfig.servers.spawner import PROGRAM, SEALED, Server
from tests.hubconfig.test_configuration import settings

MB = 10**6
LIMIT_GB = 10.0
KB = 4096


def room(used_mb: float, most_mb: int = 10_000, files: int = 10) -> Room:
    return Room(round(used_mb * MB), most_mb * MB, files, most_mb * MB // KB)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What the system tells of homes: change it as the container does that limits them."""
    told = {"whole_mb": 180_000, "free_mb": 90_000}
    real = os.statvfs

    def statvfs(path: Any) -> Any:
        if Path(path).name != "ada":
            return real(path)
        blocks, free = told["whole_mb"] * MB // KB, told["free_mb"] * MB // KB
        return SimpleNamespace(f_frsize=KB, f_blocks=blocks, f_bfree=free, f_files=blocks, f_ffree=free)

    monkeypatch.setattr(os, "statvfs", statvfs)
    return told


@pytest.fixture
def homes(tmp_path: Path) -> Homes:
    (tmp_path / "ada").mkdir(mode=0o700)
    return Homes(tmp_path, "/mnt/jupyterhub_users", LIMIT_GB)


def test_a_start_waits_until_the_home_has_its_limit(homes: Homes, disk: dict[str, int]) -> None:
    async def start() -> float:
        asyncio.get_running_loop().call_later(0.3, disk.update, {"whole_mb": 10_000, "free_mb": 9_000})
        begun = asyncio.get_running_loop().time()
        await homes.limited("ada")
        return asyncio.get_running_loop().time() - begun

    assert 0.3 <= asyncio.run(start()) < 2


def test_a_home_that_gets_no_limit_is_not_started_on(
    homes: Homes, disk: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homes_module, "LIMIT_S", 0.3)
    with pytest.raises(NotStartedError, match="cannot limit the space") as caught:
        asyncio.run(homes.limited("ada"))
    assert caught.value.status_code == 500


def test_without_a_limit_nobody_waits_and_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    without = Homes(tmp_path, "/mnt/jupyterhub_users")
    asyncio.run(without.limited("ada"))
    assert without.room("ada") is None
    assert without.rooms() == {}


def test_what_a_home_holds_is_told_as_the_system_tells_it(homes: Homes, disk: dict[str, int]) -> None:
    disk.update(whole_mb=10_000, free_mb=2)
    assert str(homes.room("ada")) == "9,998 of 10,000 MB"
    assert set(homes.rooms()) == {"ada"}
    assert homes.room("bob") is None
    assert homes.room("../ada") is None


@pytest.mark.parametrize(
    ("found", "said", "full"),
    [
        (room(0), "0 of 10,000 MB", False),
        (room(9_980), "9,980 of 10,000 MB", False),
        (room(9_998.4), "9,998 of 10,000 MB", True),
        (room(10_000), "10,000 of 10,000 MB", True),
        # Lowered below what was there.
        (room(12_000), "12,000 of 10,000 MB", True),
        (room(500, files=2_441_300), "2,441,300 of 2,441,406 files", False),
        (room(500, files=2_441_400), "2,441,400 of 2,441,406 files", True),
    ],
)
def test_the_numbers_are_those_that_count(found: Room, said: str, full: bool) -> None:
    assert (str(found), found.full) == (said, full)


def started(homes: Homes, asked: dict[str, str]) -> None:
    """The part of a start that looks at the home's room."""
    kind = Server.of(settings(limits={"homeGb": LIMIT_GB}), _menu(), homes)
    server = SimpleNamespace(homes=kind.homes, user=SimpleNamespace(name="ada"))
    Server._check_room(server, to_make_room=bool(asked.get("make_room")))  # type: ignore[arg-type]


def _menu() -> Menu:
    return Menu([Application(name="corehub", title="Core", build="corehub")], Limits(), lambda *_: True)


def test_a_full_home_is_refused_with_its_numbers(homes: Homes, disk: dict[str, int]) -> None:
    disk.update(whole_mb=10_000, free_mb=2)
    with pytest.raises(NotStartedError, match="Your files take 9,998 of 10,000 MB") as caught:
        started(homes, {})
    assert caught.value.status_code == 507


def test_whoever_wants_to_remove_files_gets_a_server(homes: Homes, disk: dict[str, int]) -> None:
    disk.update(whole_mb=10_000, free_mb=0)
    asked = options_from_form({"application": ["corehub"], "interface": ["lab"], "make_room": ["yes"]})
    started(homes, asked)
    # It is not remembered: the next start asks again.
    assert "make_room" not in _menu().choose("ada", asked).as_options()


def test_the_start_page_tells_what_a_home_holds() -> None:
    form = _menu().form
    assert "Your files take" not in form("ada", {})
    assert "Your files take 500 of 10,000 MB" in form("ada", {}, room(500))
    assert "alert-warning" not in form("ada", {}, room(500))
    assert "alert-warning" in form("ada", {}, room(9_100))
    assert "make_room" not in form("ada", {}, room(9_100))
    assert 'name="make_room"' in form("ada", {}, room(9_999))


@pytest.mark.parametrize(("gb", "program"), [(None, PROGRAM), (LIMIT_GB, SEALED)])
def test_servers_with_a_limit_are_sealed(gb: float | None, program: list[str]) -> None:
    server = SimpleNamespace(
        settings=settings(limits={"homeGb": gb}),
        user=SimpleNamespace(name="ada"),
        _labels=dict,
        _git_credentials=dict,
    )
    Server._take(server, _menu().choose("ada", {}), "/mnt/ada", {})  # type: ignore[arg-type]
    assert server.cmd == program
    assert server.environment["JUPYTER_RUNTIME_DIR"].startswith("/tmp/")


ATTACK = """
import ctypes, errno, mmap, os, platform, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
def tell(what, code):
    print(what, errno.errorcode[ctypes.get_errno()] if code < 0 else code)
for name, request in (("set-xattr", 0x401C5820), ("set-flags", 0x40086602), ("set-flags32", 0x40046602)):
    tell(name, libc.ioctl(file, ctypes.c_ulong(request), bytes(28)))
    tell(name + "-high", libc.ioctl(file, ctypes.c_ulong(request | 7 << 32), bytes(28)))
tell("file_setattr", libc.syscall(469, -100, sys.argv[1].encode(), bytes(28), ctypes.c_size_t(28), 0))
tell("get-xattr", libc.ioctl(file, ctypes.c_ulong(0x541B), ctypes.create_string_buffer(8)))
"""

AS_32_BITS = """
import ctypes, mmap, os, sys
MAP_32BIT = 0x40
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
page = libc.mmap(None, ctypes.c_size_t(4096), 7, 0x22 | MAP_32BIT, -1, ctypes.c_long(0))
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
# push rbx; mov eax,54; mov ebx,FILE; mov ecx,REQUEST; mov edx,DATA; int 0x80; pop rbx; ret
code = b"\\x53\\xb8" + (54).to_bytes(4, "little") + b"\\xbb" + file.to_bytes(4, "little")
code += b"\\xb9" + int(sys.argv[2]).to_bytes(4, "little") + b"\\xba" + (page + 2048).to_bytes(4, "little")
code += b"\\xcd\\x80\\x5b\\xc3"
ctypes.memmove(page, code, len(code))
print(ctypes.CFUNCTYPE(ctypes.c_int)(page)())
"""


def sealed_python(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            Path(sealed.__file__).read_text(),
            sys.executable,
            "-c",
            program,
            *words,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_seal_refuses_what_changes_a_project_and_nothing_else(tmp_path: Path) -> None:
    done = sealed_python(ATTACK, str(tmp_path / "file"))
    told = dict(line.split() for line in done.stdout.splitlines())
    assert told.pop("get-xattr") == "0", done.stderr
    assert set(told.values()) == {"EPERM"}, told
    assert len(told) == 7


@pytest.mark.skipif(
    os.uname().machine != "x86_64", reason="only such a machine runs programs of 32 bits, too"
)
@pytest.mark.parametrize("request_", [0x401C5820, 0x40086602, 0x40046602])
def test_the_seal_holds_for_calls_of_32_bits(tmp_path: Path, request_: int) -> None:
    words = [str(tmp_path / "file"), str(request_)]
    free = subprocess.run(
        [sys.executable, "-c", AS_32_BITS, *words], capture_output=True, text=True, timeout=60, check=False
    )
    if free.returncode < 0:
        pytest.skip("this kernel runs no programs of 32 bits")
    done = sealed_python(AS_32_BITS, *words)
    assert done.stdout.strip() == "-1", (done, free)  # EPERM, as the kernel itself gives it
    assert free.stdout.strip() != "-1"


def test_the_numbers_of_calls_fit_this_machine(tmp_path: Path) -> None:
    """Without the seal the same calls get through to the filesystem, whatever it says to them."""
    done = subprocess.run(
        [sys.executable, "-c", ATTACK, str(tmp_path / "file")], capture_output=True, text=True, check=True
    )
    told = dict(line.split() for line in done.stdout.splitlines())
    assert told["set-flags"] == "0", told
