"""What the tests on a real engine share: everything here deploys with the real `pulumi`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.images.check import hub_version
from tests.images.building import build_stub_program
from tests.support.deployment import Deployment
from tests.support.git_server import GitServer, application, serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need the engine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(scope="session")
def stub(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The program that stands in for a user's server."""
    folder = tmp_path_factory.mktemp("stub")
    build_stub_program(folder)
    return (folder / "stub").read_bytes()


@pytest.fixture(scope="module")
def git_server(stub: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    """A git server with the repository of an application hub that starts at once."""
    with serving(GitServer(tmp_path_factory.mktemp("git"))) as server:
        server.repository("quick", application(hub_version(), stub))
        yield server


def quick_menu(server: GitServer) -> list[dict[str, Any]]:
    """The menu of a hub that offers that one."""
    return [{"name": "quick", "title": "Quick", "git": {"url": f"{server.url}/quick.git"}}]


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
