"""What several tests of the hub's own code begin with."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hubconfig.list_folder import ListFolder
from tests.hubconfig.provider import Provider, provider


@pytest.fixture
def server() -> Iterator[Provider]:
    """Somewhere to sign in."""
    with provider() as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> ListFolder:
    """A folder without lists."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return ListFolder(tmp_path, logging.getLogger("hub"))
