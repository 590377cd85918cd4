"""Removes a local stack together with its users' files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.images.versions import BASE_IMAGE
from infra.stack.clouds import LocalCloud
from tools.stacks import life
from tools.stacks.stack import section
from tools.toolchain.console import Problem, run, say
from tools.toolchain.places import ROOT


def purge(stack: str, *, sure: bool) -> None:
    """Take a local stack down and remove its users' data, once asked and answered.

    Raises Problem where the stack is not local or the folder is not one that a hub made.
    """
    folder = _local_data_dir(stack)
    if folder.exists():
        check_removable(folder)
        if not sure and not _confirmed(folder):
            raise Problem("Nothing was removed.")
    life.down(stack)
    if not folder.exists():
        say(f"There are no users' files: {folder} does not exist.")
        return
    try:
        shutil.rmtree(folder)
    except PermissionError:
        _remove_as_root(folder)
    say(f"Removed {folder}")


def _local_data_dir(stack: str) -> Path:
    cloud = section(stack, "cloud")
    if cloud.get("kind") != "local":
        raise Problem(
            f"make purge removes users' data on this machine only; {stack} is not a local stack.\n"
            "docs/ tells how to remove the data volume of a cloud."
        )
    return Path(LocalCloud.model_validate(cloud).data_path(stack))


def check_removable(folder: Path) -> None:
    """Refuse to remove what cannot be a hub's data folder: others' folders, and parents of our own.

    Raises Problem.
    """
    resolved = folder.resolve()
    ours = {"cyberhub", "jupyterhub_users"} & {entry.name for entry in resolved.iterdir()}
    if not ours or resolved in (ROOT, *ROOT.parents, Path.home().resolve(), *Path.home().resolve().parents):
        raise Problem(f"{folder} does not look like a hub's data; remove it by hand if you are sure.")


def _confirmed(folder: Path) -> bool:
    size = subprocess.run(["du", "-sh", folder], capture_output=True, text=True, check=False).stdout.split(
        "\t"
    )[0]
    if not sys.stdin.isatty():
        raise Problem(
            f"{folder} ({size}) holds users' files. To remove it without being asked: make purge YES=1"
        )
    answer = input(f"{folder} ({size}) holds users' files; gone is gone. Remove it? Type yes: ")
    return answer.strip().lower() == "yes"


def _remove_as_root(folder: Path) -> None:
    """Users' files belong to other users; a container may remove them where we may not."""
    image = os.environ.get("CYBERHUBS_BASE_IMAGE") or BASE_IMAGE
    mount = f"type=bind,source={folder.resolve()},target=/data"
    everything = ["find", "/data", "-mindepth", "1", "-delete"]
    by_hand = f"By hand: sudo rm -r {folder}"
    run(["docker", "run", "--rm", "--network=none", "--mount", mount, image, *everything], by_hand=by_hand)
    folder.rmdir()
