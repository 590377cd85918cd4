"""What `make` does around `pulumi` on a stack; runs in the shell that tools/env.sh prepared."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml

from hubconfig.names import FIRST_HUB
from infra.handed_over.text import to_utf8
from infra.stack.clouds import Cloud
from tools.stacks.deployed import Deployed
from tools.toolchain.console import Problem, say
from tools.toolchain.places import ROOT


def announce(stack: str) -> None:
    """Say where the hub is and how to get in."""
    say("\n".join(announcement(stack, Deployed.find(stack).outputs)))


def announcement(stack: str, found: Mapping[str, Any]) -> list[str]:
    """The lines that tell a newcomer where the hub is and how to get in."""
    lines = ["", f"Your cyberhub is at  {found['url']}", ""]
    if found.get("tls") == "local":
        lines += ["Its certificate is signed by the hub's own authority: tell the browser to go on.", ""]
    lines += _way_in(found, FIRST_HUB)
    for hub in found["signIn"]:
        if hub != FIRST_HUB:
            lines += ["", f"The hub {hub} is at  {found['url']}/{hub}/", "", *_way_in(found, hub)]
    lines += [""]
    if "ssh" in found:
        lines += [f"The machine:         {found['ssh']}"]
    option = "" if stack == "local" else f" STACK={stack}"
    return [*lines, f"Users' files:        {found['dataDir']}", f"Take it down again:  make down{option}"]


def _way_in(found: Mapping[str, Any], hub: str) -> list[str]:
    """How people sign in to one of the hubs."""
    if found["signIn"][hub]["kind"] != "sharedPassword":
        callback = found["callbackUrl" if hub == FIRST_HUB else f"callbackUrl-{hub}"]
        return [f"The callback URL to register with the sign-in provider: {callback}"]
    lines = ["Sign in with any user name and", f"    password  {found['sharedPassword']}"]
    if admins := found["signIn"][hub]["admins"]:
        lines += [f"or, to administer the hub, as {' or '.join(admins)} and"]
        lines += [f"    password  {found['adminPassword']}"]
    return lines


def put_salt_away(file: Path) -> None:
    """Take the line `encryptionsalt` out of a stack file that holds no secret.

    Pulumi writes it at each update, which would leave every checkout changed and in the way of `git pull`.
    The state holds it too, and tools/env.sh has Pulumi look there.
    """
    lines = file.read_bytes().splitlines(keepends=True)
    if not any(line.strip().startswith(b"secure:") for line in lines):
        kept = [line for line in lines if not line.startswith(b"encryptionsalt:")]
        if kept != lines:
            file.write_bytes(b"".join(kept))


def stacks_with_a_file() -> list[str]:
    """Names of the stacks that somebody wrote a file for."""
    return sorted(
        path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        for path in (ROOT / "stacks").glob("Pulumi.*.yaml")
    )


def needs_engine(stack: str) -> bool:
    """Whether bringing a stack up needs this machine's Docker engine: to run the hub, or to build for it."""
    clouds = {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(Cloud)}
    kind = section(stack, "cloud").get("kind")
    usual = clouds[kind].image_source if kind in clouds else None
    return kind == "local" or section(stack, "images").get("source", usual) == "ship"


def stack_file(stack: str) -> Path:
    """Where the stack's settings are."""
    return ROOT / "stacks" / f"Pulumi.{stack}.yaml"


def section(stack: str, name: str) -> dict[str, Any]:
    """A section of the stack file as it is written; faults in it are for the program to tell."""
    file = stack_file(stack)
    if not file.exists():
        raise Problem(_missing(stack, file))
    try:
        content = yaml.safe_load(_text(file))
    except yaml.YAMLError as error:
        raise Problem(f"{file.relative_to(ROOT)} is not YAML: {error}") from None
    config = content.get("config") if isinstance(content, dict) else None
    section = config.get(f"cyberhubs:{name}") if isinstance(config, dict) else None
    return section if isinstance(section, dict) else {}


def _missing(stack: str, file: Path) -> str:
    """What to do about a stack file that is not there: another name, another stack, none yet."""
    name = file.relative_to(ROOT)
    for other in (file.with_suffix(".yml"), ROOT / file.name, file.with_name(f"{stack}.yaml")):
        if other.exists():
            there = other.relative_to(ROOT)
            return f"There is {there}, but Pulumi reads {name} only. Rename it: mv {there} {name}"
    known = stacks_with_a_file()
    near = difflib.get_close_matches(stack, known, n=1)
    meant = f" Did you mean STACK={near[0]}?" if near else ""
    return f"There is no {name}.{meant} Write it, or name a stack that has a file: {', '.join(known)}"


def _text(file: Path) -> str:
    """A stack file's text. Raises Problem where it is not UTF-8, as Pulumi wants it."""
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is not None and "\0" not in text:
        return text
    name = file.relative_to(ROOT)
    raise Problem(f"{name} is not UTF-8. Run: {to_utf8(name, raw)}")
