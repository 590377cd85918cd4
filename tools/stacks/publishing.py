"""Publishes an application hub's image, so that other hubs can offer it by name."""

from __future__ import annotations

import json
import re

from hubconfig import container
from tools.stacks.deployed import Deployed
from tools.toolchain.console import Problem, say

_NAME = re.compile(r"[a-z0-9]+([._/:-]+[a-z0-9]+)*/[a-z0-9._-]+(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?")


def publish(stack: str, application: str, name: str) -> None:
    """Give the image of a menu entry a name, and push it to the registry that the name says.

    :param application: the menu entry's name.
    :param name: such as `you/wendihub:1.0`, on Docker Hub, or `registry.example.org/wendihub:1.0`.

    Raises Problem.
    """
    if not application or not _NAME.fullmatch(name):
        raise Problem(
            "Say which menu entry, and its name for others: make publish APP=wendihub AS=you/wendihub:1.0"
        )
    deployed = Deployed.find(stack)
    hubs = deployed.hubs()
    if not hubs:
        raise Problem(
            f"No hub of {stack} runs, and only a hub knows which images it offers: `make up` first."
        )
    offered: dict[str, str] = {}
    for hub in reversed(hubs):  # of two entries with one name, the first hub's
        offered |= json.loads(deployed.docker("exec", hub, "cat", str(container.SETTINGS_FILE)))["images"]
    if application not in offered:
        raise Problem(f"No menu of {stack} offers {application}; they offer {', '.join(sorted(offered))}.")
    deployed.docker("tag", offered[application], name)
    if not deployed.engine.show("push", name):
        where = f"on the machine ({deployed.outputs['ssh']})" if deployed.ssh else "here"
        registry = name.split("/", maxsplit=1)[0]
        login = f"docker login {registry}" if re.search(r"[.:]", registry) else "docker login"
        raise Problem(
            f"{name} was not published, for the reason above. If you were not let in, run `{login}` {where}."
        )
    say(f"Published. Other hubs offer it with  image: {name}")
