"""What the tests on a real engine share: everything here deploys with the real `pulumi`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.deployment import Deployment


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need the engine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.timeout(3600))


@contextmanager
def deployed(name: str, folder: Path, settings: dict[str, Any], **secrets: str) -> Iterator[Deployment]:
    """A stack that is up while the block runs, and of which nothing is left behind it."""
    deployment = Deployment(name, folder, settings, **secrets)
    deployment.clean_up()
    deployment = Deployment(name, folder, settings, **secrets)
    try:
        deployment.up()
        yield deployment
    finally:
        deployment.clean_up()
