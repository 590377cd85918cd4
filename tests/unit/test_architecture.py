"""Who may know whom: the arrows of DESIGN's picture, and nothing against them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_SDKS = ("pulumi_aws", "pulumi_docker", "pulumi_openstack")


def _imports(file: Path) -> Iterator[str]:
    """Every module that a file imports, also inside a function; `from a import b` may be the module a.b."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _knowing(folder: str, *modules: str) -> list[str]:
    """Files of a folder that import one of these modules, or what is in it."""
    return [
        str(file.relative_to(ROOT))
        for file in sorted((ROOT / folder).rglob("*.py"))
        if any(
            name == module or name.startswith(f"{module}.") for name in _imports(file) for module in modules
        )
    ]


@pytest.mark.parametrize(
    ("folder", "never"),
    [
        ("hubconfig", ("infra", "tools", "pulumi", *_SDKS)),
        ("infra", ("tools", "tests")),
        ("infra/stack", ("infra.checks", "infra.clouds", "infra.site", "infra.images", "infra.program")),
        ("infra/checks", ("infra.clouds", "infra.program", "pulumi", *_SDKS)),
        ("infra/clouds", ("infra.checks", "infra.site", "infra.images", "infra.dock", "pulumi_docker")),
        ("infra/machine", ("infra.checks", "infra.clouds", "infra.site", "infra.images", *_SDKS)),
        ("infra/images", ("infra.checks", "infra.clouds", "infra.site", "infra.program")),
        ("infra/site", ("infra.checks", "infra.clouds", "infra.program")),
        ("infra/clouds/aws", ("infra.clouds.openstack", "pulumi_openstack")),
        ("infra/clouds/openstack", ("infra.clouds.aws", "pulumi_aws")),
    ],
)
def test_no_arrow_goes_back(folder: str, never: tuple[str, ...]) -> None:
    assert (ROOT / folder).is_dir()
    assert _knowing(folder, *never) == []


@pytest.mark.parametrize("cloud", ["aws", "openstack"])
def test_a_clouds_sdk_is_known_in_its_own_folder_only(cloud: str) -> None:
    files = _knowing("infra", f"pulumi_{cloud}")
    assert files
    assert [file for file in files if not file.startswith(f"infra/clouds/{cloud}/")] == []


@pytest.mark.parametrize("folder", ["infra/clouds", "infra/machine", "infra/checks", "infra/images"])
def test_what_all_clouds_share_names_none(folder: str) -> None:
    """So that a further cloud is a folder, a model and a branch, and nothing else has to be thought of."""
    own = re.compile(r"\b(aws|ec2|ebs|openstack|nova|cinder|neutron)\b", re.IGNORECASE)
    naming = [
        str(file.relative_to(ROOT))
        for file in sorted((ROOT / folder).glob("*.py"))
        if own.search(file.read_text())
    ]
    assert [file for file in naming if file != "infra/clouds/__init__.py"] == []


def test_one_place_spells_a_containers_rights() -> None:
    files = [
        str(file.relative_to(ROOT))
        for file in sorted((ROOT / "infra").rglob("*.py"))
        if re.search(r"ContainerCapabilities|security_opts|privileged=", file.read_text())
    ]
    assert files == ["infra/dock.py"]
