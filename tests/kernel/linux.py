"""A Linux with project quotas, which the kernel of the tests' machine may lack: Debian's user-mode Linux.

It is a program that takes two seconds to start and sees this machine's files read-only as its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tools.toolchain import apt

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """How a program ended."""

    code: int
    out: str
    err: str


_TOO_MANY_REGISTERS = "ptrace set fp regs failed, errno = 14"
"""What Debian 12's says where a processor has more state than it has room for; Linux 6.12 asks how much."""


@dataclass(frozen=True)
class Linux:
    """A running one."""

    _process: subprocess.Popen[str]
    _folder: Path

    def run(self, *words: str, user: int = 0, **environment: str) -> Done:
        """Run a program and wait for its end."""
        return Done(**self._ask(words=words, user=user, environment=environment, background=""))

    def sure(self, *words: str, user: int = 0, **environment: str) -> str:
        """What a program prints. Fails when it ends with an error."""
        done = self.run(*words, user=user, **environment)
        assert done.code == 0, f"{words}: {done.out}{done.err}"
        return done.out.strip()

    def start(self, *words: str, log: str, user: int = 0, **environment: str) -> int:
        """Start a program that goes on and writes into a file; its number."""
        pid: int = self._ask(words=words, user=user, environment=environment, background=log)["pid"]
        return pid

    def _ask(self, **what: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        asked = self._folder / f"asked-{time.monotonic_ns()}"
        asked.write_text(json.dumps(what))
        self._process.stdin.write(f"{asked}\n")
        self._process.stdin.flush()
        return dict(json.loads(self._line("{")))

    def _line(self, start: str) -> str:
        """The next line that begins so; the kernel's own words may come between."""
        assert self._process.stdout is not None
        seen = []
        for line in self._process.stdout:
            if line.startswith(start):
                return line
            seen.append(line)
        text = "".join(seen)
        if _TOO_MANY_REGISTERS in text:
            pytest.skip("this user-mode Linux cannot run on a processor with so many registers (AMX)")
        raise AssertionError(f"the user-mode Linux ended:\n{text}")


def needed() -> None:
    """Have the package. Raises Problem where we may not install it."""
    if shutil.which("linux.uml") is None:
        otherwise = "These tests need Debian's package user-mode-linux; install it, then run them again."
        apt.install(["user-mode-linux"], usually="10 seconds", otherwise=otherwise)


@contextmanager
def running(*disks: Path, log: Path) -> Iterator[Linux]:
    """A Linux with these disks, as /dev/ubda and so on, while the block runs."""
    words = ["linux.uml", "mem=512M", "rootfstype=hostfs", "rootflags=/", "ro", "quiet"]
    words += [f"ubd{number}={disk}" for number, disk in enumerate(disks)]
    words += ["con=null", "con0=fd:0,fd:1"]
    words += [f"init={sys.executable}", "--", "-u", str(Path(__file__).with_name("agent.py"))]
    with log.open("wb") as told:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            cwd=log.parent,
            start_new_session=True,
        )
    linux = Linux(process, log.parent)
    try:
        linux._line("ready")
        yield linux
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # what runs in it are processes of this machine
        process.wait()
