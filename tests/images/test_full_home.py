"""Somebody whose home is full still gets a server, and can delete with it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubconfig.servers.launch import RUNTIME
from hubconfig.servers.seal import profile
from hubconfig.servers.spawner import NO_TRASH, TIDYING
from tests.images.building import DROPPED, image, inside, log, running, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk to fill")

API = "http://127.0.0.1:8888/api"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """One in which JupyterLab has never been, and nothing fits any more."""
    disk, place = tmp_path / "disk", tmp_path / "home"
    place.mkdir()
    with disk.open("wb") as file:
        file.truncate(12 * 1024**2)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(disk)], check=True)
    subprocess.run(["mount", "-o", "loop", str(disk), str(place)], check=True)
    try:
        # A first session that only ran a kernel left this, and JupyterLab then wants to make another.
        (place / ".ipython").mkdir()
        fill = ["dd", "if=/dev/zero", f"of={place / 'big'}", "bs=1k"]
        filled = subprocess.run(fill, capture_output=True, text=True, check=False)
        assert "No space left" in filled.stderr
        for each in (place, place / ".ipython", place / "big"):
            os.chown(each, 1000, 100)
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_server_starts_on_a_full_home_and_deletes(home: Path, tmp_path: Path) -> None:
    seal = tmp_path / "seal.json"
    seal.write_text(profile())
    environment = {**RUNTIME, **TIDYING, "HOME": "/home/user"}
    words = [
        "--user",
        "1000:100",
        *DROPPED,
        "--security-opt",
        f"seccomp={seal}",
        "--network",
        "none",
        "--volume",
        f"{home}:/home/user",
    ]
    words += [word for item in environment.items() for word in ("--env", "=".join(item))]
    # JupyterHub's own program asks a hub first who may come in.
    program = ["jupyter-lab", "--no-browser", "--IdentityProvider.token=secret", NO_TRASH]
    with running("images-full-home", *words, image("corehub"), *program) as server:

        def ask(method: str, path: str) -> tuple[str, str]:
            form = ["--silent", "--output", "/tmp/answer", "--write-out", "%{http_code}"]
            allowed = "--header", "Authorization: token secret"
            code = inside(server, "curl", *form, *allowed, "--request", method, f"{API}{path}")
            return code, inside(server, "cat", "/tmp/answer") if code != "204" else ""

        try:
            until(lambda: "is running at" in log(server), "JupyterLab runs")
        except AssertionError as error:
            raise AssertionError(log(server)[-3000:]) from error
        code, answer = ask("POST", "/kernels")
        assert code == "201", answer
        assert json.loads(answer)["name"] == "python3"
        assert ask("DELETE", "/contents/big") == ("204", "")
    assert not (home / "big").exists()
    assert not (home / ".local/share/Trash").exists()
