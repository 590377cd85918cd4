"""Who gets in without anybody having said so is told before a machine is made."""

from __future__ import annotations

from typing import Any

import pytest

from hubconfig.options import HubOptions
from infra.checks import access
from infra.stack.clouds import LocalCloud, ServerCloud
from infra.stack.sections import Sections

SERVER = ServerCloud(
    kind="server", address="a", ssh_key_file="~/k", host_key="ssh-ed25519 AAAA", data_dir="/srv/hub"
)


def told(cloud: Any = SERVER, **hub: Any) -> list[str]:
    sections = Sections(stack="s", cloud=cloud, hub=HubOptions.model_validate(hub))
    return [fault.key for fault in access.faults(sections) if not fault.stops]


@pytest.mark.parametrize(
    "hub",
    [
        {},
        {"auth": {"kind": "github"}, "admins": ["ada"]},
        {"auth": {"kind": "gitlab"}},
        {"access": {"mode": "auto"}},
    ],
)
def test_a_hub_for_the_whole_world_is_told(hub: dict[str, Any]) -> None:
    assert told(**hub) == ["hub.access"]


@pytest.mark.parametrize(
    "hub",
    [
        {"access": {"mode": "open"}},
        {"access": {"mode": "listed"}},
        {"access": {"mode": "closed"}},
        {"access": {"allow": ["org:uvic"]}},
        {"auth": {"kind": "gitlab", "url": "https://gitlab.uvic.example"}},
        {"auth": {"kind": "sharedPassword"}},
    ],
)
def test_a_hub_for_whom_its_settings_say_is_not(hub: dict[str, Any]) -> None:
    assert told(**hub) == []


def test_a_hub_on_ones_own_computer_is_nobody_elses() -> None:
    assert told(LocalCloud(kind="local")) == []
