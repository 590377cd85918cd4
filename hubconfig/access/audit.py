"""The audit trail: who signed in, who was refused and why, bans, servers started and ended.

The hub's log has all that too, but whoever makes the hub say much pushes it out of there. This is a file of
its own in the hub's state, so backups have it; no line of it holds a secret.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

BYTES: Final = 10_000_000
FILES: Final = 10
"""So many of so many bytes are kept: some million lines."""

_BEGINNINGS = (
    *("access: ", "sign-in: "),  # ours
    *("User logged in: ", "User logged out: "),  # JupyterHub's
    *("server of ", "culler: "),
)
_SERVERS = ("seconds to start", "seconds to stop")


class Audit(RotatingFileHandler):
    """Writes down what is about people, of all that the hub says."""

    def __init__(self, path: Path) -> None:
        """Write to a file, which is made at the first line."""
        super().__init__(path, maxBytes=BYTES, backupCount=FILES - 1, encoding="utf-8", delay=True)
        self._failed_at = float("-inf")
        self.setFormatter(_Line())
        self.addFilter(is_about_people)

    def __deepcopy__(self, _: object) -> Audit:
        """Itself: traitlets copies what it is configured with."""
        return self

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's signature
        """Say once a minute that nothing can be written down, and why."""
        if time.monotonic() - self._failed_at > 60:
            self._failed_at = time.monotonic()
            print(f"audit: {self.baseFilename} cannot be written: {sys.exc_info()[1]}", file=sys.stderr)

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever somebody is called; without the traceback, which the hub's log has."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        said = record.getMessage().encode("utf-8", "backslashreplace").decode()
        printable = "".join(each if each.isprintable() else repr(each)[1:-1] for each in said)
        return f"{at} {record.levelname} {printable}"


def is_about_people(record: logging.LogRecord) -> bool:
    """Whether a line belongs into the trail."""
    said = record.getMessage()
    return said.startswith(_BEGINNINGS) or (said.startswith("User ") and said.endswith(_SERVERS))
