"""What the tools say to the person who waits for them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_TAIL_LINES = 20


class Problem(Exception):  # noqa: N818 - it is not a fault of the program
    """Something a person has to put right; the text says what and how."""


def say(text: str) -> None:
    """One line, at once also through a pipe."""
    print(text, flush=True)


@contextmanager
def step(what: str, usually: str) -> Iterator[None]:
    """Say what is done and how long it usually takes; afterwards, how long it took."""
    say(f"==> {what} (usually {usually})")
    start = time.monotonic()
    yield
    say(f"    done in {time.monotonic() - start:.0f} s")


def run(
    command: Sequence[str | Path],
    *,
    by_hand: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """What the command prints.

    Raises Problem with the last lines of its output, and what to do by hand, when it fails.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise Problem(f"The program {words[0]} is not installed. {by_hand}") from None
    if done.returncode != 0:
        tail = (done.stdout + done.stderr).strip().splitlines()[-_TAIL_LINES:]
        raise Problem("\n".join([f"`{' '.join(words)}` failed:", *(f"    {line}" for line in tail), by_hand]))
    return done.stdout


def succeeds(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> bool:
    """Whether the command is there and ends well; its output is of no interest."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except FileNotFoundError:
        return False
    return done.returncode == 0
