"""Stacks with a file are known to Pulumi after `make toolchain`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.toolchain import stacks

WRITTEN = "config:\n  cyberhubs:cloud:\n    kind: local\n"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with two stack files and a pulumi that does what the real one does to files."""
    for folder in ("stacks", "tools", "state"):
        (tmp_path / folder).mkdir()
    for name in ("arbutus", "my.lab"):
        (tmp_path / "stacks" / f"Pulumi.{name}.yaml").write_text(WRITTEN)
    program = tmp_path / "pulumi"
    program.write_text(
        f"""#!/bin/bash
echo "$*" >>{tmp_path}/called
name=${{*: -1}}
mkdir -p {tmp_path}/state/.pulumi/stacks/cyberhubs
echo '{{}}' >{tmp_path}/state/.pulumi/stacks/cyberhubs/$name.json
echo 'encryptionsalt: v1:abc' >>stacks/Pulumi.$name.yaml
"""
    )
    program.chmod(0o755)
    (tmp_path / "tools" / "env.sh").write_text(f"PATH={tmp_path}:$PATH\n")
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/state")
    return tmp_path


def test_each_is_made_once_and_its_file_stays_as_it_was(checkout: Path) -> None:
    stacks.ensure(checkout)
    stacks.ensure(checkout)
    assert [line.split()[-1] for line in (checkout / "called").read_text().splitlines()] == [
        "arbutus",
        "my.lab",
    ]
    assert {file.read_text() for file in (checkout / "stacks").iterdir()} == {WRITTEN}


def test_a_shared_state_is_not_filled_unasked(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://lab-state")
    stacks.ensure(checkout)
    assert not (checkout / "called").exists()
