"""The least application hub that runs a cell, and a hub that offers it: what emulated machines can hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from infra.images.versions import BASE_IMAGE
from tests.support.deployment import ROOT

IMAGE: Final = "cyberhubs-vm/lab:latest"

HUB: Final[dict[str, Any]] = {
    "auth": {"kind": "sharedPassword"},
    "menu": [{"name": "lab", "title": "Lab", "image": IMAGE}],
    "limits": {"memoryMb": 1024, "servers": 2, "homeGb": 0.2},
}


def build(folder: Path) -> str:
    """Build it on this machine's engine; its name.

    :param folder: an empty one, for what goes in.
    """
    write(folder)
    base = os.environ.get("CYBERHUBS_BASE_IMAGE", BASE_IMAGE)
    docker_build = ["docker", "build", "--quiet", "--build-arg", f"BASE={base}", "--tag", IMAGE, str(folder)]
    subprocess.run(docker_build, check=True, timeout=600)
    return IMAGE


def write(folder: Path) -> None:
    """Put all that it is built from into a folder, with corehub's versions."""
    shutil.copy(Path(__file__).parent / "lab" / "Dockerfile", folder)
    lock = (ROOT / "hubconfig/images/corehub/requirements.txt").read_text()
    pinned = re.findall(r"^[A-Za-z0-9._-]+==[^ \n]+", lock, re.MULTILINE)
    (folder / "versions.txt").write_text("\n".join(pinned) + "\n")
