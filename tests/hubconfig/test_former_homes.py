"""Homes that an older cyberhub has left: their owners would find empty ones."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from hubconfig.homes.former import to_rename
from hubconfig.names import safe_name
from tests.hubconfig.test_configuration import applied, settings
from tests.hubconfig.test_configuration import folder as folder  # noqa: PLC0414 - a fixture


def test_folders_that_nobody_s_home_is_called_are_told_with_their_new_name() -> None:
    kept = ["ada", "a-b", safe_name("ada@uvic.ca"), ".snapshots", "lost+found"]
    old = ["o_o", "old-", "Ada", "foo--bar", "-dash"]
    assert to_rename([*kept, *old]) == {name: safe_name(name) for name in old}


def test_the_hub_s_log_tells_at_its_start_what_to_rename(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "homes" / "o_o").mkdir()
    (folder / "homes" / "ada").mkdir()
    with caplog.at_level(logging.WARNING):
        applied(folder, settings())
    (told,) = [line for line in caplog.messages if line.startswith("homes:")]
    assert f"rename o_o to {safe_name('o_o')}" in told
    assert (folder / "homes" / "o_o").exists()
