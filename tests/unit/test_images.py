"""The folders that images are built from: locked, and in step with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hubconfig import labels
from infra.images.check import hub_version
from infra.images.contexts import IMAGES, own_context
from infra.images.versions import CADDY_IMAGE

LOCKED = sorted(file.parent.name for file in IMAGES.rglob("requirements.in"))
FOLDERS = sorted(file.parent.name for file in IMAGES.rglob("Dockerfile"))

_WANTED = re.compile(r"^([A-Za-z0-9._-]+)(?:==(\S+))?$")
_ENTRY = re.compile(r"^(\S+)==(\S+) \\$")


def normal(name: str) -> str:
    """A package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lock(folder: str) -> dict[str, str]:
    """Package to version."""
    found = (_ENTRY.match(line) for line in _lines(folder, "requirements.txt"))
    return {normal(entry[1]): entry[2] for entry in found if entry}


def wanted(folder: str) -> dict[str, str | None]:
    """What an image asks for by itself: package to version, None for any."""
    lines = [line for line in _lines(folder, "requirements.in") if line and not line.startswith("#")]
    found = [_WANTED.match(line) for line in lines]
    assert None not in found, "requirements.in has a line that is not NAME or NAME==VERSION"
    return {normal(entry[1]): entry[2] for entry in found if entry}


def _lines(folder: str, file: str) -> list[str]:
    return (own_context(folder).folder / file).read_text().splitlines()


def dockerfile(folder: str, name: str = "Dockerfile") -> str:
    """The text of a Dockerfile."""
    return (own_context(folder).folder / name).read_text()


@pytest.mark.parametrize("folder", LOCKED)
def test_every_package_is_locked_with_the_hashes_of_its_files(folder: str) -> None:
    text = "\n".join(_lines(folder, "requirements.txt"))
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE).strip())
    unlocked = [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
    assert unlocked == []
    assert len(entries) == len(lock(folder))
    assert "--require-hashes" in dockerfile(folder)


@pytest.mark.parametrize("folder", LOCKED)
def test_a_lock_holds_what_its_image_asks_for(folder: str) -> None:
    locked = lock(folder)
    for package, version in wanted(folder).items():
        assert package in locked
        assert version in (None, locked[package])


@pytest.mark.parametrize("folder", [name for name in LOCKED if "ARG COREHUB" in dockerfile(name)])
def test_an_image_on_corehub_changes_none_of_its_packages(folder: str) -> None:
    core, own = lock("corehub"), lock(folder)
    assert {name: own[name] for name in own if name in core} == {
        name: core[name] for name in own if name in core
    }


def test_the_hub_and_its_servers_have_the_same_jupyterhub() -> None:
    assert lock("corehub")["jupyterhub"] == lock("hub")["jupyterhub"] == hub_version()
    for folder in ("hub", "corehub"):
        assert f"LABEL {labels.JUPYTERHUB}={hub_version()}\n" in dockerfile(folder)
    stub = Path(__file__).parents[1] / "images/stub/Dockerfile"
    assert f"LABEL {labels.JUPYTERHUB}={hub_version()}\n" in stub.read_text()


def test_the_hub_speaks_with_the_classes_that_its_code_is_tested_with() -> None:
    development = (IMAGES.parents[1] / "requirements-dev.txt").read_text()
    for package, version in wanted("hub").items():
        if package != "pydantic":
            assert f"{package}=={version}\n" in development
    program = (IMAGES.parents[1] / "requirements.txt").read_text()
    assert f"pydantic=={lock('hub')['pydantic']}\n" in program


def test_nothing_loads_a_grammar_of_15_mb_that_it_never_uses() -> None:
    for folder in LOCKED:
        assert not {"rfc3987-syntax", "lark"} & set(lock(folder))


def test_both_ways_to_the_proxys_image_end_alike() -> None:
    pulled, given = dockerfile("proxy"), dockerfile("proxy", "Dockerfile.binary")
    last_stage = pulled.rpartition("\nFROM ")[2].replace("COPY --from=plain /caddy ", "COPY caddy ")
    assert given.rpartition("\nFROM ")[2] == last_stage
    assert f"ARG CADDY_IMAGE={CADDY_IMAGE}".split("@")[0] in pulled
    version = re.search(r"caddy:([0-9.]+)", CADDY_IMAGE)
    assert version
    assert f"LABEL cyberhubs.caddy={version[1]}\n" in pulled


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_image_builds_with_any_docker_and_leaves_no_package_lists(folder: str) -> None:
    text = dockerfile(folder)
    assert not text.startswith("# syntax=")
    assert "<<" not in text
    assert re.search(r"^ARG (BASE=debian:trixie-slim|COREHUB=cyberhubs/corehub)$", text, re.MULTILINE)
    for run in re.findall(r"^RUN .*(?:\\\n.*)*", text, re.MULTILINE):
        if "apt-get install" in run:
            assert "--no-install-recommends" in run
            assert "rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin" in run


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_script_of_an_image_can_be_run(folder: str) -> None:
    for file in (path for path in own_context(folder).folder.rglob("*") if path.is_file()):
        if file.read_bytes().startswith(b"#!"):
            assert file.stat().st_mode & 0o111, f"{file.name} is not executable"
