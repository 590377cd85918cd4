"""What holds for every file of the tree: length, reasons, links, and nothing of one machine in particular."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_LINES = 300
_FUNCTION_LINES = 60

_SKIPPED = {".git", ".venv", ".pulumi", ".cache", "node_modules", "__pycache__", "test-output", "results"}


def _files(*endings: str) -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT)
        if path.suffix in endings and path.is_file() and not _SKIPPED & set(inside.parts):
            yield inside


def test_no_file_is_longer_than_one_reads_at_once() -> None:
    long = {str(file) for file in _files(".py") if len((ROOT / file).read_text().splitlines()) > _LINES}
    assert long == set()


def test_no_function_is_longer_than_a_page() -> None:
    long = {
        f"{file}:{node.name}"
        for file in _files(".py")
        for node in ast.walk(ast.parse((ROOT / file).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= _FUNCTION_LINES
    }
    assert long == set()


_EXCEPTION = re.compile(r"# (?:noqa|type: ignore|pragma|mypy:|pylint)\b")
_WITH_REASON = re.compile(
    r"(?:# type: ignore\[[a-z, -]+\] +)?(?:# noqa: [A-Z]+\d+(?:, [A-Z]+\d+)* - |# (?!noqa|type))\w.{4,}$"
)


def exceptions_without_a_reason(text: str) -> list[str]:
    """The lines that ask a checker to look away and do not say why."""
    return [
        line.strip()
        for line in text.splitlines()
        if (found := _EXCEPTION.search(line)) and not _WITH_REASON.fullmatch(line[found.start() :])
    ]


def test_whoever_asks_a_checker_to_look_away_says_why() -> None:
    without = [
        f"{file}: {line}"
        for file in _files(".py")
        if file != Path("tests/unit/test_habits.py")
        for line in exceptions_without_a_reason((ROOT / file).read_text())
    ]
    assert without == []


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa",
        "x = 1  # noqa: S101",
        "x = 1  # noqa: S101, B018 -",
        "x = f()  # type: ignore",
        "x = f()  # type: ignore[arg-type]",
        "x = f()  # type: ignore  # of all kinds",
        "x = f()  # type: ignore[name-defined]  # noqa: F821",
    ],
)
def test_a_code_alone_is_no_reason(line: str) -> None:
    assert exceptions_without_a_reason(line) == [line]
    assert exceptions_without_a_reason("x = f()  # type: ignore[misc]  # noqa: F821 - it is given") == []


def test_no_page_has_a_broken_link() -> None:
    broken = [
        f"{page}: {target}"
        for page in _files(".md")
        for target in re.findall(r"\]\(([^)\s#]+)", (ROOT / page).read_text())
        if not re.match(r"[a-z]+:", target) and not (ROOT / page.parent / target).exists()
    ]
    assert broken == []


def test_a_link_into_a_page_leads_to_a_heading() -> None:
    broken = []
    for page in _files(".md"):
        for target, part in re.findall(r"\]\(([^)\s#:]*)#([^)\s]+)\)", (ROOT / page).read_text()):
            other = ROOT / page.parent / target if target else ROOT / page
            headings = re.findall(r"^#+ (.+)$", other.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            if part not in anchors:
                broken.append(f"{page}: {target}#{part}")
    assert broken == []


@pytest.mark.parametrize("host", [r"\bghcr\.io\b", r"\bquay\.io\b", r"\bregistry-1\.", r"\bpythonhosted\b"])
def test_programs_are_asked_where_they_download_from_instead_of_naming_hosts(host: str) -> None:
    naming = [
        str(file)
        for file in _files(".py", ".sh", ".yaml", ".json", ".toml", ".md")
        if file != Path("tests/unit/test_habits.py") and re.search(host, (ROOT / file).read_text())
    ]
    assert naming == []


_OWN_PATH = re.compile(r"(?<![\w./*$\"'}])/(?:root|work|Users|home/(?!user|remote|jovyan|ada)\w+)/\w")


def test_no_file_names_a_path_of_a_particular_machine() -> None:
    naming = [
        f"{file}: {line.strip()}"
        for file in _files(".py", ".sh", ".yaml", ".json", ".toml", ".md")
        if file != Path("tests/unit/test_habits.py")
        for line in (ROOT / file).read_text().splitlines()
        if _OWN_PATH.search(line)
    ]
    assert naming == []
