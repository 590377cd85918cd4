"""Images that nobody needs are removed; those of menus, of containers and of others are not."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import docker
import pytest
from docker.errors import APIError

from hubconfig import labels
from hubconfig.options import HubOptions
from hubconfig.pruning import prune, superfluous
from hubconfig.settings import SETTINGS_FILE, HubSettings
from tests.images.building import ENGINE, base_image, on_engine, remove, running

PREFIX = "prunetest/"
NOW = datetime(2020, 6, 1, tzinfo=UTC)
OLD = NOW - timedelta(days=30)


def settings(*kept: str, **more: bool) -> HubSettings:
    return HubSettings(
        name="hub", stack="prunetest", options=HubOptions(), public_url="", base_url="/", hub_host="h",
        network="n", user_prefix="u-", homes_dir="/h", space_dirs={}, images={}, servers_max=1,
        images_kept=list(kept), images_prefix=PREFIX, machine_is_ours=more.get("machine_is_ours", False),
    )  # fmt: skip


def load(name: str, created: datetime) -> str:
    """Have an image of this name and age, which holds nothing but its name; its id."""
    layer = archive({"name": name.encode()})
    configuration = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": created.isoformat().replace("+00:00", "Z"),
            "config": {"Cmd": ["/name"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(layer).hexdigest()}"]},
        }
    ).encode()
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    files = {
        "config.json": configuration,
        "layer.tar": layer,
        "manifest.json": json.dumps(manifest).encode(),
    }
    docker.from_env().images.load(archive(files))
    return ENGINE.run("image", "inspect", "--format", "{{.Id}}", name)


def archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def images() -> Iterator[dict[str, str]]:
    """Images of every kind, by what they are."""
    names = {
        "old": (f"{PREFIX}corehub:1", OLD),
        "offered": (f"{PREFIX}corehub:2", OLD),
        "in use": (f"{PREFIX}corehub:3", OLD),
        "just built": (f"{PREFIX}corehub:4", NOW - timedelta(hours=2)),
        "somebody else's": ("prunetest-others/thing:1", OLD),
    }
    ids = {what: load(name, created) for what, (name, created) in names.items()}
    remove("prunetest-user-ada")
    ENGINE.run("create", "--name", "prunetest-user-ada", ids["in use"])
    try:
        yield ids
    finally:
        remove("prunetest-user-ada")
        for name, _ in names.values():
            if on_engine(name):
                ENGINE.run("rmi", name)


@pytest.fixture
def asking(images: dict[str, str], tmp_path: Path) -> Iterator[HubSettings]:
    """A hub that knows none of the images; beside it is another stack's hub, which offers one of them."""
    file = tmp_path / "srv" / SETTINGS_FILE.relative_to("/srv")
    file.parent.mkdir(parents=True)
    file.write_text(settings(images["offered"]).to_json())
    name = "prunetest-hub"
    remove(name)
    ENGINE.run("create", "--name", name, "--label", f"{labels.ROLE}=hub", images["in use"])
    ENGINE.run("cp", str(tmp_path / "srv"), f"{name}:/")
    try:
        yield settings()
    finally:
        remove(name)


def test_only_what_nobody_needs_is_removed(images: dict[str, str], asking: HubSettings) -> None:
    said = prune(docker.from_env(), asking, NOW)
    assert [line.split(" removed")[0] for line in said] == [f"{PREFIX}corehub:1"]
    assert not on_engine(images["old"])
    assert all(on_engine(images[what]) for what in images if what != "old")
    assert prune(docker.from_env(), asking, NOW) == []


def test_on_a_machine_that_is_ours_others_images_go_too(images: dict[str, str], asking: HubSettings) -> None:
    # Looked at only: this machine is somebody's.
    found = {image.id for image in superfluous(docker.from_env(), settings(machine_is_ours=True), NOW)}
    assert found & set(images.values()) == {images["old"], images["somebody else's"]}


def test_nothing_is_removed_when_a_hub_does_not_tell_what_it_needs(images: dict[str, str]) -> None:
    mute = running("prunetest-mute", "--label", f"{labels.ROLE}=hub", base_image(), "sleep", "60")
    with mute, pytest.raises(APIError):
        prune(docker.from_env(), settings(), NOW)
    assert all(on_engine(image) for image in images.values())
