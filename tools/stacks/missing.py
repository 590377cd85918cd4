"""What of a stack is gone from its machine, and how a folder that is gone comes back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Final

from hubconfig import labels
from infra.engine import Engine, EngineError, local_engine
from infra.site.gone import gone
from tools.stacks.deployed import Deployed
from tools.stacks.stack import needs_engine
from tools.toolchain.console import Problem, say
from tools.toolchain.places import ROOT

_WITH_FOLDERS: Final[tuple[labels.Role, ...]] = ("user", "hub", "proxy", "backup", "space", "home-limits")


def missing(deployed: Deployed) -> list[str]:
    """What the stack's state has and its machine has not: kind and name of each.

    Raises Problem when the state cannot be read or Docker cannot be asked.
    """
    words = ["pulumi", "stack", "export", "--stack", deployed.name]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(
            f"`pulumi stack export` failed for the stack {deployed.name}:\n    {done.stderr.strip()}"
        )
    resources = (json.loads(done.stdout).get("deployment") or {}).get("resources") or []
    try:
        found = gone(_engines(deployed), (each for each in resources if not each.get("delete")))
    except EngineError as error:
        raise Problem(f"Docker does not say what it has: {error}") from None
    return [*found, *([f"folder {deployed.data_dir}"] if folder_is_gone(deployed) else [])]


def folder_is_gone(deployed: Deployed) -> bool:
    """Whether somebody removed the folder with users' files; a volume's is the machine's to keep."""
    return deployed.ssh is None and not Path(deployed.data_dir).is_dir()


def let_go_of_folder(deployed: Deployed) -> None:
    """Remove the containers that still hold the folder that was removed; `up` makes them with a new one.

    What users' servers write into it is lost in any case. Raises Problem.
    """
    say(f"==> {deployed.data_dir} is gone, and users' files with it; the hub starts again with an empty one")
    if holding := [name for role in _WITH_FOLDERS for name in deployed.containers(role, "--all")]:
        deployed.docker("rm", "--force", "--volumes", *holding)


def _engines(deployed: Deployed) -> list[Engine]:
    # Images of a machine that does not build are built here and sent there.
    built_here = deployed.ssh is not None and needs_engine(deployed.name)
    return [deployed.engine, *([local_engine()] if built_here else [])]
