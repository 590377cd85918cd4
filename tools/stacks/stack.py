"""What `make` does around `pulumi` on a stack; runs in the shell that tools/env.sh prepared."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from infra.images.versions import BASE_IMAGE
from tools.toolchain.console import Problem, run, say
from tools.toolchain.places import ROOT


def outputs(stack: str) -> dict[str, Any]:
    """The outputs of the stack's last update; empty where there is none."""
    command = ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", stack]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        if "no stack named" in done.stderr:
            return {}
        raise Problem(f"`pulumi stack output` failed for the stack {stack}:\n    {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    return found


def announce(stack: str) -> None:
    """Say where the hub is and how to get in."""
    put_salt_away(_file(stack))
    tls = _section(stack, "web").get("tls") or {}
    own_authority = tls.get("kind", "local") == "local"
    admins = _section(stack, "hub").get("admins") or []
    say("\n".join(announcement(stack, outputs(stack), admins=admins, own_authority=own_authority)))


def announcement(
    stack: str, found: Mapping[str, Any], *, admins: Sequence[str], own_authority: bool
) -> list[str]:
    """The lines that tell a newcomer where the hub is and how to get in."""
    lines = ["", f"Your cyberhub is at  {found['url']}", ""]
    if own_authority:
        lines += ["Its certificate is signed by the hub's own authority: tell the browser to go on.", ""]
    if "sharedPassword" in found:
        lines += ["Sign in with any user name and", f"    password  {found['sharedPassword']}"]
        if "adminPassword" in found:
            lines += [f"or, to administer the hub, as {' or '.join(admins)} and"]
            lines += [f"    password  {found['adminPassword']}"]
    elif "callbackUrl" in found:
        lines += [f"The callback URL to register with the sign-in provider: {found['callbackUrl']}"]
    lines += [""]
    if "ssh" in found:
        lines += [f"The machine:         {found['ssh']}"]
    option = "" if stack == "local" else f" STACK={stack}"
    return [*lines, f"Users' files:        {found['dataDir']}", f"Take it down again:  make down{option}"]


def down(stack: str) -> None:
    """Remove all that `make up` made, but not users' files."""
    select = ["pulumi", "stack", "select", "--create", stack]
    destroy = ["pulumi", "destroy", "--yes", "--skip-preview", "--stack", stack]
    for command in (select, destroy):
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            raise Problem(f"`{' '.join(command)}` failed, as said above; put that right and run make again.")
    put_salt_away(_file(stack))


def put_salt_away(file: Path) -> None:
    """Take the line `encryptionsalt` out of a stack file that holds no secret.

    Pulumi writes it at each update, which would leave every checkout changed and in the way of `git pull`.
    The state holds it too, and tools/env.sh has Pulumi look there.
    """
    lines = file.read_text().splitlines(keepends=True)
    if not any(line.strip().startswith("secure:") for line in lines):
        kept = [line for line in lines if not line.startswith("encryptionsalt:")]
        if kept != lines:
            file.write_text("".join(kept))


def purge(stack: str, *, sure: bool) -> None:
    """Take a local stack down and remove its users' data, once asked and answered.

    Raises Problem where the stack is not local or the folder is not one that a hub made.
    """
    folder = _local_data_dir(stack)
    if folder.exists():
        check_removable(folder)
        if not sure and not _confirmed(folder):
            raise Problem("Nothing was removed.")
    down(stack)
    if not folder.exists():
        say(f"There are no users' files: {folder} does not exist.")
        return
    try:
        shutil.rmtree(folder)
    except PermissionError:
        _remove_as_root(folder)
    say(f"Removed {folder}")


def _local_data_dir(stack: str) -> Path:
    # What follows needs the packages of .venv; the rest of the tools must do without.
    from infra.clouds.local import data_dir  # noqa: PLC0415
    from infra.stack.settings import LocalCloud  # noqa: PLC0415

    cloud = _section(stack, "cloud")
    if cloud.get("kind") != "local":
        raise Problem(
            f"make purge removes users' data on this machine only; {stack} is not a local stack.\n"
            "docs/ tells how to remove the data volume of a cloud."
        )
    return data_dir(LocalCloud.model_validate(cloud), stack)


def needs_engine(stack: str) -> bool:
    """Whether bringing a stack up needs this machine's Docker engine: to run the hub, or to build for it."""
    from infra.stack.settings import Cloud  # noqa: PLC0415 - see below

    clouds = {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(Cloud)}
    kind = _section(stack, "cloud").get("kind")
    usual = clouds[kind].image_source if kind in clouds else None
    return kind == "local" or _section(stack, "images").get("source", usual) == "ship"


def _file(stack: str) -> Path:
    return ROOT / "stacks" / f"Pulumi.{stack}.yaml"


def _section(stack: str, name: str) -> dict[str, Any]:
    """A section of the stack file as it is written; faults in it are for the program to tell."""
    import yaml  # noqa: PLC0415 - see above

    file = _file(stack)
    if not file.exists():
        there = ", ".join(sorted(path.name.split(".")[1] for path in file.parent.glob("Pulumi.*.yaml")))
        raise Problem(
            f"There is no {file.relative_to(ROOT)}. Write it, or name a stack that has a file: {there}"
        )
    try:
        content = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        raise Problem(f"{file.relative_to(ROOT)} is not YAML: {error}") from None
    config = content.get("config") if isinstance(content, dict) else None
    section = config.get(f"cyberhubs:{name}") if isinstance(config, dict) else None
    return section if isinstance(section, dict) else {}


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
