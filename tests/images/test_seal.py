"""Attacks on a server's seal, and on the way it starts, from inside a container as the hub makes it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubconfig.servers.path import safe_path
from hubconfig.servers.seal import profile
from tests.images.building import DROPPED, image, inside, inspect, running

ATTACK = """\
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
file = os.open("/tmp/file", os.O_RDWR | os.O_CREAT)
def tell(what, code):
    print(what, errno.errorcode[ctypes.get_errno()] if code < 0 else "DONE")
data = ctypes.create_string_buffer(256)
for name, request in (("project", 0x401C5820), ("flags", 0x40086602), ("flags32", 0x40046602)):
    tell(name, libc.ioctl(file, ctypes.c_ulong(request), data))
    # Linux looks at the low half only; a filter that compares all of it is passed by.
    tell(name + "-high", libc.syscall(16, file, ctypes.c_ulong(request | 7 << 32), data))
tell("file_setattr", libc.syscall(469, -100, b"/tmp/file", data, ctypes.c_size_t(28), 0))
tell("io_uring", libc.syscall(425, 8, data))
tell("vsock", libc.syscall(41, 40, 1, 0))
tell("vsock-high", libc.syscall(41, ctypes.c_ulong(40 | 1 << 32), 1, 0))
tell("userfaultfd", libc.syscall(323, 1))
tell("perf", libc.syscall(298, data, 0, -1, -1, 0))
tell("keyctl", libc.syscall(250, 0, -3, 0))
tell("bpf", libc.syscall(321, 0, data, 120))
tell("unshare", libc.syscall(272, 0x10000000))
tell("namespaces", libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0))
"""

THROUGH_THE_PARENT = """\
gdb -p $(pgrep -o -x tini) -batch -ex 'print ((int(*)(int,long,long))ioctl)(0,0x401C5820,0)' \\
  -ex 'print *((int*(*)())__errno_location)()'
"""

PLANTED = "#!/bin/sh\ntouch /tmp/planted\nexec /usr/bin/sleep 600\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    folder.chmod(0o777)
    folder.parent.chmod(0o755)
    programs = folder / ".local/bin"
    programs.mkdir(parents=True)
    for name in ("tini", "jupyterhub-singleuser", "python3", "sleep", "env"):
        (programs / name).write_text(PLANTED)
        (programs / name).chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def server(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    seal = tmp_path_factory.mktemp("seal") / "seal.json"
    seal.write_text(profile())
    corehub = image("corehub")
    path = safe_path(inspect(corehub)["Config"]["Env"], ["/home/user"])["PATH"]
    words = [
        "--init",
        "--user",
        "1000:100",
        *DROPPED,
        "--security-opt",
        f"seccomp={seal}",
        "--network",
        "none",
    ]
    words += ["--volume", f"{home}:/home/user", "--env", f"PATH={path}"]
    with running("images-sealed", *words, corehub, "sleep", "600") as container:
        yield container


def test_every_attack_on_the_kernel_is_refused(server: str) -> None:
    told = dict(line.split() for line in inside(server, "python3", "-c", ATTACK).splitlines())
    assert len(told) == 16
    assert set(told.values()) <= {"EPERM", "ENOSYS"}, told


def test_the_very_first_process_is_sealed_so_tracing_it_gains_nothing(server: str) -> None:
    assert "\nSeccomp:\t2" in inside(server, "cat", "/proc/1/status")
    told = inside(server, "sh", "-c", THROUGH_THE_PARENT)
    assert f"$1 = -1\n$2 = {errno.EPERM}" in told, told


def test_programs_in_the_home_do_not_start_the_server(server: str) -> None:
    assert "planted" not in inside(server, "ls", "/tmp")


def test_terminals_and_kernels_still_find_what_people_install(server: str) -> None:
    assert inside(server, "bash", "-lc", "type -p tini") == "/home/user/.local/bin/tini"
    show = "from jupyter_client import kernelspec as k; print(k.get_kernel_spec('python3').env)"
    assert "${HOME}/.local/bin:${PATH}" in inside(server, "/opt/jupyter/bin/python3", "-s", "-c", show)


def test_ordinary_work_goes_on(server: str) -> None:
    work = "import multiprocessing, subprocess, threading; print(subprocess.getoutput('echo fine'))"
    assert inside(server, "python3", "-c", work) == "fine"
    assert "exited normally" in inside(server, "gdb", "-batch", "-ex", "run", "/bin/true")
