"""Pulumi's own words in a prepared shell of a fresh checkout, with the real Pulumi."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.images.contexts import ROOT
from tools.toolchain import stacks

_WORDS = ("Pulumi.yaml", "__main__.py", "hubconfig", "infra", "stacks", "tools")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git has, with the toolchain that is here, and with a state and a home of its own."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in _WORDS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    for name in (".venv", ".pulumi"):
        (folder / name).symlink_to((ROOT / name).resolve())
    (folder / "state").mkdir()
    (folder / "passphrase").write_text("only for this test\n")
    return folder


@pytest.fixture(autouse=True)
def own_state(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{checkout}/state")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", f"{checkout}/passphrase")
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)


def pulumi(checkout: Path, *words: str) -> str:
    """All that `pulumi WORDS` says in a prepared shell."""
    script = f"source tools/env.sh && pulumi --non-interactive {shlex.join(words)}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=checkout, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout + done.stderr


def test_every_stack_is_known_and_only_our_words_say_what_is_missing(checkout: Path) -> None:
    stacks.ensure(checkout)
    before = {file.name: file.read_bytes() for file in (ROOT / "stacks").iterdir()}
    assert {file.name: file.read_bytes() for file in (checkout / "stacks").iterdir()} == before
    for stack in ("arbutus", "aws-free", "server"):
        said = pulumi(checkout, "preview", "--stack", stack)
        assert "oauthClientId: is required for this sign-in" in said
        assert "unhandled" not in said
        assert "no stack named" not in said


def test_a_stack_file_that_is_gone_is_told_and_preserve_config_keeps_it(checkout: Path) -> None:
    stacks.ensure(checkout)
    pulumi(checkout, "stack", "rm", "--yes", "--preserve-config", "server")
    assert (checkout / "stacks" / "Pulumi.server.yaml").exists()
    (checkout / "stacks" / "Pulumi.aws-free.yaml").unlink()
    said = pulumi(checkout, "preview", "--stack", "aws-free")
    assert "Pulumi.aws-free.yaml" in said
    assert "the file is not there, or holds no settings" in said
    assert "unhandled" not in said
