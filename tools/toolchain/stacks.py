"""Makes the stacks that have a file known to Pulumi, so that its own words work in a fresh checkout."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tools.toolchain.console import say
from tools.toolchain.places import ROOT

_PROJECT = "cyberhubs"


def ensure(root: Path = ROOT) -> None:
    """Have each stack with a file in stacks/ in the state, too; costs nothing where it is there.

    Only where the state is a folder: a shared one is not filled unasked.
    """
    states = _states()
    if states is None:
        return
    for file in sorted((root / "stacks").glob("Pulumi.*.yaml")):
        name = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        if not any((states / f"{name}.json{packed}").exists() for packed in ("", ".gz")):
            _make(root, name, file)


def _states() -> Path | None:
    """The folder with the states of the project's stacks."""
    backend = urlsplit(os.environ.get("PULUMI_BACKEND_URL") or f"file://{Path.home()}")
    if backend.scheme != "file":
        return None
    folder = Path(f"{backend.netloc}{backend.path}").expanduser()
    return folder / ".pulumi" / "stacks" / _PROJECT


def _make(root: Path, name: str, file: Path) -> None:
    before = file.read_bytes()
    script = f"source tools/env.sh && pulumi stack init --no-select --non-interactive {shlex.quote(name)}"
    done = subprocess.run(["bash", "-c", script], cwd=root, capture_output=True, text=True, check=False)
    if b"encryptionsalt:" not in before:
        file.write_bytes(before)  # Pulumi adds the salt, which the state holds, too
    if done.returncode != 0:
        say(f"    The stack {name} is not in Pulumi's state yet: {done.stderr.strip()}")
