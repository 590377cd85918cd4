"""What is built once and kept: its key, and that no half of it passes for a whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.toolchain import cache
from tools.toolchain.cache import build_once, key_of
from tools.toolchain.console import Problem
from tools.toolchain.places import ROOT


def test_the_key_of_a_build_changes_with_a_file_a_name_or_a_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "ROOT", tmp_path)
    one, other = tmp_path / "go.mod", tmp_path / "go.sum"
    one.write_text("module a")
    other.write_text("")
    key = key_of([one, other], "pulumi==1.0.0")
    assert key == key_of([other, one], "pulumi==1.0.0")
    assert key != key_of([one], "pulumi==1.0.0")
    assert key != key_of([one, other], "pulumi==1.0.1")
    one.write_text("module b")
    assert key != key_of([one, other], "pulumi==1.0.0")


def test_a_toolchain_that_is_there_is_not_built_again(home: Path) -> None:
    builds = []

    def build(folder: Path) -> None:
        builds.append(folder)
        (folder / "pulumi").write_text("program")

    first = build_once("toolchain", "key", build)
    second = build_once("toolchain", "key", build)
    assert first == second == home / "cache" / "cyberhubs" / "toolchain-key"
    assert (first / "pulumi").read_text() == "program"
    assert len(builds) == 1


def test_a_build_that_failed_leaves_nothing_that_passes_for_a_finished_one(home: Path) -> None:
    def broken(folder: Path) -> None:
        (folder / "pulumi").write_text("half a prog")
        raise Problem("no disk left")

    with pytest.raises(Problem, match="no disk left"):
        build_once("toolchain", "key", broken)
    assert not list((home / "cache" / "cyberhubs").glob("toolchain-*"))

    done = build_once("toolchain", "key", lambda folder: (folder / "pulumi").touch())
    assert (done / "pulumi").read_text() == ""


def test_a_build_that_was_killed_is_cleaned_up_by_the_next_one(home: Path) -> None:
    killed = (
        "import os, signal\n"
        "from tools.toolchain.cache import build_once\n"
        "def build(folder):\n"
        "    (folder / 'pulumi').write_text('half a prog')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "build_once('toolchain', 'key', build)\n"
    )
    done = subprocess.run([sys.executable, "-c", killed], cwd=ROOT, check=False)
    assert done.returncode == -9
    folder = home / "cache" / "cyberhubs"
    assert [path.name[:15] for path in folder.iterdir() if path.is_dir()] == [".toolchain-key."]

    built = build_once("toolchain", "key", lambda made: (made / "pulumi").touch())
    assert (built / "pulumi").read_text() == ""
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["toolchain-key"]
