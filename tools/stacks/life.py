"""Brings a stack up, rebuilds it, and takes it down: all that `make` does around `pulumi`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from tools.stacks import recovery, refused
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
    _run(stack, ["pulumi", "stack", "select", "--create", stack])


def _pulumi(stack: str, *words: str) -> None:
    _run(stack, ["pulumi", *words, "--stack", stack])


def _run(stack: str, command: Sequence[str]) -> None:
    if _ended_with(command) != 0:
        said = f"`{' '.join(command)}` failed, as said above; put that right and run make again."
        raise Problem(refused.why(stack) or said)


def _ended_with(command: Sequence[str]) -> int:
    """Run a command to its end, also when somebody presses Ctrl-C.

    That reaches Pulumi, too, which then notes what it has begun, and at the second time leaves. Killed, it
    would leave a lock, and things that it knows nothing of.
    """
    # What the preparations have just decided, such as the base image, is not yet in this process's shell.
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **exports.read()}) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue
