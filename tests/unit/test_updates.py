"""Every pin is found by what keeps it current, and commits wait for the words that CI says."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RENOVATE: dict[str, Any] = json.loads((ROOT / "renovate.json").read_text())


def _matches(file: str) -> list[re.Match[str]]:
    """What the custom managers find in a file, their JavaScript patterns read as Python's."""
    text = (ROOT / file).read_text()
    return [
        match
        for manager in RENOVATE["customManagers"]
        if any(re.search(pattern.strip("/"), file) for pattern in manager["managerFilePatterns"])
        for words in manager["matchStrings"]
        for match in re.finditer(words.replace("(?<", "(?P<"), text)
    ]


def test_each_image_that_is_pulled_is_found_by_the_updater() -> None:
    file = "infra/images/versions.py"
    pinned = {
        node.value.value
        for node in ast.parse((ROOT / file).read_text()).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant)
    }
    found = set()
    for match in _matches(file):
        image = f"{match['depName']}:{match['currentValue']}"
        found.add(f"{image}@{match['currentDigest']}" if match["currentDigest"] else image)
    assert pinned
    assert found == pinned


@pytest.mark.parametrize(
    ("file", "pin"),
    [
        ("tools/toolchain/golang.py", r'_RELEASE\b.* = "go([\d.]+)"'),
        ("hubconfig/images/corehub/Dockerfile", r"jupyterhub=(\S+)"),
        ("hubconfig/images/system/hub/Dockerfile", r"jupyterhub=(\S+)"),
        ("hubconfig/images/system/proxy/Dockerfile", r"LABEL cyberhubs\.caddy=(\S+)"),
    ],
)
def test_each_version_outside_a_list_of_packages_is_found_by_the_updater(file: str, pin: str) -> None:
    written = re.findall(pin, (ROOT / file).read_text())
    assert written
    assert [match["currentValue"] for match in _matches(file)] == written


def test_a_module_that_is_built_here_is_not_passed_over_as_indirect() -> None:
    named = {name for rule in RENOVATE["packageRules"] for name in rule.get("matchPackageNames", ())}
    for module in ("caddyserver/caddy/v2", "letsencrypt/pebble/v2"):
        assert f"github.com/{module}" in named


def test_lists_of_packages_pin_every_package() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in (ROOT / file).read_text().splitlines() if line and line[0] not in "#-"]
        assert [line for line in lines if "==" not in line] == []


def test_a_commit_waits_for_the_words_of_make_check() -> None:
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    checked = [
        line.strip().lstrip("@").replace("$$", "$").replace("'", '"') for line in recipe[1].splitlines()
    ]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    entries = [re.sub(r"^bash .*? -c '(.*)'$", r"\1", hook["entry"]) for hook in hooks]
    assert entries == checked
