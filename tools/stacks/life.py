"""Brings a stack up, rebuilds it, and takes it down: all that `make` does around `pulumi`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from tools.stacks import recovery
from tools.stacks.stack import announce, needs_engine, put_salt_away, stack_file
from tools.toolchain import base_image, engine, exports
from tools.toolchain.console import Problem
from tools.toolchain.places import ROOT


def up(stack: str) -> None:
    """Bring the hub up, or to its new settings; then say where it is. Raises Problem."""
    _have_engine(stack)
    recovery.unlock(stack)
    _select(stack)
    _pulumi(stack, "up", "--yes", "--skip-preview", *(["--refresh"] if recovery.must_refresh(stack) else []))
    put_salt_away(stack_file(stack))
    announce(stack)


def rebuild(stack: str) -> None:
    """Make the cloud's machine anew; then say where the hub is. Raises Problem."""
    _have_engine(stack)
    recovery.unlock(stack)
    _pulumi(stack, "up", "--yes", "--skip-preview", "--replace", "**::hub-port")
    put_salt_away(stack_file(stack))
    announce(stack)


def preview(stack: str) -> None:
    """Show what `up` would change, and change nothing. Raises Problem."""
    _have_engine(stack)
    _select(stack)
    _pulumi(stack, "preview")
    put_salt_away(stack_file(stack))


def down(stack: str) -> None:
    """Remove all that `up` made, but not users' files. Raises Problem."""
    _have_engine(stack)
    recovery.unlock(stack)
    _select(stack)
    _pulumi(stack, "destroy", "--yes", "--skip-preview")
    put_salt_away(stack_file(stack))


def _have_engine(stack: str) -> None:
    if needs_engine(stack):
        engine.ensure()
        base_image.ensure()


def _select(stack: str) -> None:
    _run(["pulumi", "stack", "select", "--create", stack])


def _pulumi(stack: str, *words: str) -> None:
    _run(["pulumi", *words, "--stack", stack])


def _run(command: Sequence[str]) -> None:
    # What the preparations have just decided, such as the base image, is not yet in this process's shell.
    if subprocess.run(command, cwd=ROOT, env={**os.environ, **exports.read()}, check=False).returncode != 0:
        raise Problem(f"`{' '.join(command)}` failed, as said above; put that right and run make again.")
