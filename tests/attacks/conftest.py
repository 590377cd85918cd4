"""All attacks need the engine: real containers, and what guards them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker.conftest import git_server, stub

__all__ = ["git_server", "stub"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They belong to the docker tier; the first of them may build an image."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.timeout(1800))
