"""restic, as a child that a signal reaches: killed at once, it would leave a lock in the repository."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from hubconfig.backup.options import Refused

SOME_FILES_UNREAD = 3
"""restic's exit code where a snapshot lacks files that could not be read."""

_NO_REPOSITORY = 10
_WRONG_PASSWORD = 12
_NO_ANSWER = 124
"""Our own, where restic would go on trying."""

_FIRST_WORD_SECONDS = 25
"""restic would try for a quarter of an hour to reach a repository that is away."""

_STOPPING_SECONDS = 8
"""Docker waits 10 s before it kills."""


@dataclass(frozen=True)
class Done:
    """How restic ended."""

    code: int
    output: str
    errors: str

    @property
    def last_word(self) -> str:
        """Why it failed."""
        lines = [line for line in self.errors.splitlines() if line]
        fatal = [line for line in lines if line.startswith("Fatal: ")]
        return (fatal or lines or [f"restic ended with {self.code}"])[-1]

    @property
    def unread(self) -> list[str]:
        """The files that could not be read. Those that were removed meanwhile are nobody's loss."""
        return [
            line
            for line in self.errors.splitlines()
            if line.startswith("error: ") and "no such file or directory" not in line
        ]


@dataclass(frozen=True)
class Restic:
    """restic with a repository and what it takes to open it."""

    environment: Mapping[str, str]

    def run(self, *words: str, seconds: float | None = None, shown: bool = False) -> Done:
        """Run it to its end, or until this process is told to stop.

        :param shown: print what it says instead of keeping it.
        """
        pipe = None if shown else subprocess.PIPE
        child = subprocess.Popen(
            ["restic", *words],
            env=dict(self.environment),
            stdout=pipe,
            stderr=pipe,
            encoding="utf-8",
            errors="replace",
        )
        try:
            output, errors = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            child.terminate()
            output, errors = child.communicate()
            return Done(_NO_ANSWER, output or "", errors or "")
        except BaseException:
            child.terminate()
            try:
                child.wait(_STOPPING_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
            raise
        return Done(child.returncode, output or "", errors or "")

    def must(self, *words: str) -> str:
        """What it prints. Raises Refused when it fails."""
        done = self.run(*words)
        if done.code:
            raise Refused(done.last_word)
        return done.output

    def first_word(self) -> Done:
        """The repository's own description."""
        return self.run("cat", "config", seconds=_FIRST_WORD_SECONDS)


def is_missing(done: Done) -> bool:
    """Whether there is no repository in that place."""
    return done.code == _NO_REPOSITORY


def why_closed(done: Done, repository: str) -> str:
    """Why a repository could not be opened, for people."""
    if done.code == _WRONG_PASSWORD:
        return (
            f"the repository {repository} has another password; set its own: "
            "pulumi config set --secret backupPassword ..."
        )
    if done.code == _NO_ANSWER:
        tries = [line for line in done.errors.splitlines() if " returned error, retrying after " in line]
        why = tries[-1].split(" returned error, retrying after ", 1)[1].partition(": ")[2] if tries else ""
        return f"{repository} does not answer: {why}"
    return f"{repository}: {done.last_word}"
