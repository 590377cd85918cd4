"""Shared folders that would be folders of ours are refused, however their path is written."""

from __future__ import annotations

import pytest

from hubconfig.options import HubOptions
from hubconfig.space_options import FolderSpace
from infra.checks import spaces
from infra.stack.clouds import Cloud, LocalCloud, OpenStackCloud
from infra.stack.sections import Sections

LOCAL = LocalCloud(kind="local", data_dir="/d")
ARBUTUS = OpenStackCloud(kind="openstack")


def told(cloud: Cloud, source: str) -> list[str]:
    astro = HubOptions(spaces=(FolderSpace(name="x", source=source, mount="/x"),))
    sections = Sections(stack="s", cloud=cloud, hubs={"astro": astro})
    return [fault.key for fault in spaces.faults(sections)]


@pytest.mark.parametrize(
    ("cloud", "source"),
    [
        (LOCAL, "/d"),
        (LOCAL, "/d/cyberhub/hub/state"),
        (LOCAL, "/"),
        (ARBUTUS, "/mnt/jupyterhub_users/ada"),
        (ARBUTUS, "/mnt/"),
    ],
)
def test_a_folder_of_ours_is_refused_by_its_whole_path(cloud: Cloud, source: str) -> None:
    assert told(cloud, source) == ["hubs.astro.spaces[0].source"]


@pytest.mark.parametrize(("cloud", "source"), [(LOCAL, "/data"), (LOCAL, "data"), (ARBUTUS, "/d/cyberhub")])
def test_any_other_folder_of_the_machine_can_be_shared(cloud: Cloud, source: str) -> None:
    assert told(cloud, source) == []
