"""Images as people bring them: each is tried as a server runs it, and told in the right words.

A folder of `brought` is an image. Its file `expected` says whether it is taken, and what must be told if not.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.engine import MissingError
from infra.images import trial
from infra.images.check import hub_version
from infra.images.contexts import BuildContext
from tests.images.building import ENGINE, base_image, build

BROUGHT = Path(__file__).parent / "brought"
HOME = "/home/user"


@pytest.fixture
def brought(request: pytest.FixtureRequest) -> Iterator[str]:
    """The image of a folder, by its name."""
    name = str(request.param)
    reference = f"cyberhubs-brought/{name}"
    folder = BROUGHT / name
    arguments = {"BASE": base_image()} if "BASE" in BuildContext(name, folder).wants else {}
    build(reference, folder, **arguments)
    yield reference
    ENGINE.run("rmi", "--force", reference)


def told(image: str) -> str | None:
    return trial.complaint(ENGINE, image, HOME, hub_version(), "brought")


@pytest.mark.parametrize("brought", sorted(each.name for each in BROUGHT.iterdir()), indirect=True)
def test_an_image_is_taken_or_refused_in_words_that_help(
    brought: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "SECONDS", 5)
    name = brought.rpartition("/")[2]
    verdict, *words = (BROUGHT / name / "expected").read_text().splitlines()
    said = told(brought)
    assert (said is None) == (verdict == "taken"), said
    for each in words:
        assert each in (said or ""), said
    assert not ENGINE.run("ps", "--all", "--quiet", "--filter", "name=cyberhubs-trial-")


def test_an_image_for_another_processor_is_told_as_such(tmp_path: Path) -> None:
    here = ENGINE.run("version", "--format", "{{.Server.Arch}}")
    other, machine = {"amd64": ("arm64", 0xB7), "arm64": ("amd64", 0x3E)}[here]
    # All that Linux looks at is the header, which says whose program it is.
    program = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + bytes([2, 0, machine, 0]) + bytes(44)
    image = foreign_image(tmp_path / "image.tar", other, program)
    try:
        said = told(image)
    finally:
        ENGINE.run("rmi", "--force", image)
    assert said is not None
    assert "format error" in said.lower()
    assert f"It was made for {other}, and the machine is {here}" in said
    assert f"--platform linux/{here}" in said


def test_an_image_that_is_gone_is_not_called_a_bad_one() -> None:
    with pytest.raises(MissingError):
        told("sha256:" + "0" * 64)


def foreign_image(archive: Path, architecture: str, program: bytes) -> str:
    """An image with nothing but a program of another processor; its name."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as files:
        for path in ("usr/bin/jupyterhub-singleuser", "bin/sh"):
            put(files, path, program, 0o755)
    content = layer.getvalue()
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(content).hexdigest()}"]},
    }
    name = "cyberhubs-brought/foreign:latest"
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(archive, "w") as image:
        put(image, "config.json", json.dumps(config).encode())
        put(image, "layer.tar", content)
        put(image, "manifest.json", json.dumps(manifest).encode())
    ENGINE.run("load", "--input", str(archive))
    return name


def put(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    """Add a file."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
