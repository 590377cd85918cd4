"""The rig and the one stack that these tests share."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from openstack.connection import Connection

from tests.openstack.arbutus import ArbutusDeployment, empty
from tests.openstack.rig import life
from tests.support.browser import Browser, browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need the rig."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.openstack)
            item.add_marker(pytest.mark.timeout(7200))


@pytest.fixture(scope="session")
def project() -> Iterator[Connection]:
    """A group's empty project, as the cloud's services tell of it. A rig that was up before stays up."""
    was_up = life.is_up()
    life.up()
    with life.connect("arbutus") as signed_in:
        yield signed_in
    if not was_up and "CYBERHUBS_KEEP" not in os.environ:
        life.down()


@pytest.fixture(scope="session")
def stack(project: Connection) -> Iterator[ArbutusDeployment]:
    """The stack after its first `up`; what is left of it is taken away in the end."""
    empty(project)
    folder = Path(tempfile.mkdtemp(prefix="cyberhubs-openstack-"))
    deployment = ArbutusDeployment(folder)
    try:
        for stage in deployment.timed_up():
            print(f"\n{stage.seconds:6.0f} s  {stage.name}")
        yield deployment
    finally:
        if "CYBERHUBS_KEEP" not in os.environ:
            empty(project)
            shutil.rmtree(folder)


@pytest.fixture(scope="session")
def ada(stack: ArbutusDeployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A member of the group, who is not signed in yet."""
    with browser(stack.url, stack.authority, tmp_path_factory.mktemp("ada")) as opened:
        yield opened
