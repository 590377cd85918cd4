"""What a stack file may hold, and what its writer is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime import mocks

from infra.checks import access, images, limits, secrets, user_domain
from infra.machine.capacity import Capacity
from infra.stack.faults import Fault
from infra.stack.sections import Sections
from infra.stack.settings import Settings
from infra.stack.stack_file import load

CASES = sorted((Path(__file__).parent / "settings").glob("*.yaml"))
STACKS = sorted((Path(__file__).parents[2] / "stacks").glob("Pulumi.*.yaml"))


class _Nothing(pulumi.runtime.Mocks):
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return args.name, {}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], None]:
        return {}, None


def read(values: dict[str, Any], given: dict[str, str] | None = None, checks: Any = ()) -> Settings:
    mocks.set_mocks(_Nothing(), project="cyberhubs", stack="test")
    plain = {
        f"cyberhubs:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
    }
    hidden = {f"cyberhubs:{key}": value for key, value in (given or {}).items()}
    pulumi.runtime.set_all_config({**plain, **hidden}, list(hidden))
    return load(pulumi.Config("cyberhubs"), "test", checks)


def values(file: Path) -> dict[str, Any]:
    document = yaml.safe_load(file.read_text())
    return {key.removeprefix("cyberhubs:"): value for key, value in document["config"].items()}


@pytest.mark.parametrize("file", STACKS, ids=lambda file: file.name)
def test_every_stack_file_of_the_project_can_be_read(file: Path) -> None:
    assert read(values(file)).hub.menu


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_a_stack_file_is_taken_or_its_writer_told_why(file: Path) -> None:
    case = yaml.safe_load(file.read_text())
    checks = [secrets.faults, images.faults, access.faults, user_domain.faults]
    if "wrong" not in case:
        read(case["config"], case.get("secrets"), checks)
        return
    with pytest.raises(pulumi.RunError) as caught:
        read(case["config"], case.get("secrets"), checks)
    message = str(caught.value)
    for words in case["wrong"]:
        assert words in message, message
    assert message.count("\n  ") == len(case["wrong"]), message


def test_a_mistyped_secret_is_not_repeated() -> None:
    with pytest.raises(pulumi.RunError) as caught:
        read({"cloud": {"kind": "local", "password": "HUNTER2"}, "oauthSecret": "HUNTER3"})
    assert "HUNTER" not in str(caught.value)


def test_a_fault_in_one_section_does_not_hide_another() -> None:
    def check(sections: Sections) -> list[Fault]:
        assert sections.cloud is None
        return [Fault("web.hostname", "seen")] if sections.web else []

    with pytest.raises(pulumi.RunError) as caught:
        read({"cloud": {"kind": "local", "x": 1}}, checks=[check])
    assert "cloud.x" in str(caught.value)
    assert "web.hostname: seen" in str(caught.value)


def test_limits_above_the_machine_are_named() -> None:
    settings = read(
        {
            "cloud": {"kind": "local"},
            "hub": {
                "limits": {"memoryMb": 4096, "cpus": 8},
                "menu": [{"name": "big", "title": "Big", "build": "corehub", "memoryMb": 2048}],
            },
        }
    )

    def told(memory_mb: int, cpus: int) -> dict[str, str]:
        sections = Sections.of(settings, "test", Capacity(memory_mb, cpus))
        return {fault.key: fault.rule for fault in limits.faults(sections)}

    found = told(1024, 4)
    assert set(found) == {"hub.limits.memoryMb", "hub.limits.cpus", "hub.menu[0].memoryMb"}
    assert "1024 MB" in found["hub.limits.memoryMb"]
    assert not told(8192, 8)
