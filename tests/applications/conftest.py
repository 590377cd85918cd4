"""The tests of all application hubs: they build each image, which takes too long for every run."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need the engine, and build what it does not have."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.applications)
            item.add_marker(pytest.mark.timeout(3600))
