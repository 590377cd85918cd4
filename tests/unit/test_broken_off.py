"""What people are told when Pulumi cannot begin: somebody else's update, secrets that cannot be read."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.stacks import recovery, refused
from tools.toolchain.console import Problem

GONE = 2**22 + 1
"""No process of Linux has a number above 2**22."""


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a stack's locks."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "cyberhubs" / "lab"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in Pulumi's place: it notes its words, and answers with what `says` holds."""
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$*" >>{tmp_path}/called\ncat {tmp_path}/out 2>/dev/null\n'
        f"[ -f {tmp_path}/err ] || exit 0\ncat {tmp_path}/err >&2\nexit 255\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return tmp_path


def held(folder: Path, host: str, process: int) -> None:
    holder = {"pid": process, "username": "ada", "hostname": host, "timestamp": "2026-11-27T10:00:00Z"}
    (folder / "lock.json").write_text(json.dumps(holder))


@pytest.mark.parametrize(
    ("host", "process"),
    [("lab-3", GONE), (socket.gethostname(), os.getpid())],
    ids=["elsewhere", "here"],
)
def test_an_update_of_somebody_else_is_told_with_who_and_since_when(
    host: str, process: int, locks: Path, pulumi: Path
) -> None:
    held(locks, host, process)
    with pytest.raises(Problem) as caught:
        recovery.unlock("lab")
    assert f"ada at {host} has been working on the stack lab since 2026-11-27T10:00:00Z" in str(caught.value)
    assert "pulumi cancel --stack lab" in str(caught.value)
    assert not (pulumi / "called").exists(), "nobody's lock was released"


def test_the_lock_of_an_update_that_ended_here_is_released(locks: Path, pulumi: Path) -> None:
    held(locks, socket.gethostname(), GONE)
    recovery.unlock("lab")
    assert (pulumi / "called").read_text() == "cancel --yes --stack lab\n"


def test_a_lock_that_is_being_written_is_left_to_pulumi(locks: Path, pulumi: Path) -> None:
    (locks / "lock.json").write_text('{"pid": 1')
    recovery.unlock("lab")
    assert not (pulumi / "called").exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("error: incorrect passphrase", "encrypted with another passphrase than that in /p"),
        (
            "error: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /p: no such",
            "is not in /p",
        ),
    ],
)
def test_a_passphrase_that_is_lost_or_mistyped_is_told_with_the_way_out(
    said: str, words: str, pulumi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/p")
    (pulumi / "err").write_text(said)
    why = refused.why("lab")
    assert words in why
    assert "A passphrase that is lost" in why


def test_a_secret_that_was_no_text_is_named_and_not_shown(pulumi: Path) -> None:
    settings = {
        "cyberhubs:backupCredentials": {"value": "\ufffdHUNTER", "secret": True},
        "cyberhubs:spaceKeys": {"value": '{"a":"\ufffd"}', "objectValue": {"a": "\ufffd"}, "secret": True},
        "cyberhubs:oauthClientId": {"value": "x", "secret": True},
    }
    (pulumi / "out").write_text(json.dumps(settings))
    why = refused.why("lab")
    assert why.startswith("backupCredentials of lab was set from a file that is not UTF-8")
    assert "HUNTER" not in why


def test_nothing_is_added_where_the_secrets_can_be_read(pulumi: Path) -> None:
    (pulumi / "out").write_text("{}")
    assert refused.why("lab") == ""
    (pulumi / "err").write_text("error: no such host")
    assert refused.why("lab") == ""


@pytest.mark.parametrize(("code", "seen"), [("1", 32), ("0", 0), ("32", 32), ("None", 0)])
def test_after_an_error_in_our_words_pulumi_adds_none(code: str, seen: int) -> None:
    program = (
        f"from infra.ending import let_our_words_be_the_last as last; import sys; last(); sys.exit({code})"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == seen


def test_ctrl_c_leaves_pulumi_the_time_to_note_what_it_has_begun(pulumi: Path) -> None:
    """As a terminal does, it reaches both: `make`'s process and Pulumi."""
    begun, noted = pulumi / "begun", pulumi / "noted"
    script = f"trap 'sleep 0.5; touch {noted}; exit 1' INT; touch {begun}; while :; do sleep 0.05; done"
    program = (
        # A shell that runs its commands in the background has them ignore Ctrl-C.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from tools.stacks.life import _ended_with; import sys; "
        f"sys.exit(10 + _ended_with(['bash', '-c', {script!r}]))"
    )
    make = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    deadline = time.monotonic() + 10
    while not begun.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert begun.exists()
    os.killpg(make.pid, signal.SIGINT)
    assert make.wait(30) == 11
    assert noted.exists()
