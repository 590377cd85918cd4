"""Removes what nothing else would ever remove from the engine.

What an update that was killed made without noting it holds its name and ports, and the next update would
fail on them. Users' servers of a hub that is no more have nobody who stops them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pulumi

from hubconfig import labels
from infra.engine import Engine, EngineError, UnreachableError, local_engine
from infra.site.gone import gone
from infra.stack import state


def swept(
    engine: pulumi.Output[Engine], stack: str, hubs: Collection[str], *, sent: bool
) -> pulumi.Output[Engine]:
    """The engine, without containers and networks of this stack that its state does not know.

    Warns of what the state knows and the engine has not.

    :param hubs: the hubs that the stack has from now on.
    :param sent: whether images are built on this computer and sent to the machine.
    """

    def sweep(there: Engine) -> Engine:
        resources = [*state.resources().values()]
        if not pulumi.runtime.is_dry_run():
            known = {
                str(resource.get("outputs", {}).get("id"))
                for resource in resources
                if str(resource.get("type")).startswith("docker:")
            }
            for kind, name in remove_orphans(there, stack, known, hubs):
                pulumi.log.warn(f"removed the {kind} {name}, which nothing in this stack has any more")
        tell_of_gone([there, *([local_engine()] if sent else [])], resources)
        return there

    return engine.apply(sweep)


def tell_of_gone(engines: Sequence[Engine], resources: Sequence[Mapping[str, Any]]) -> None:
    """Warn of what somebody removed from the machine: only a refresh tells Pulumi of it."""
    try:
        missing = gone(engines, resources)
    except EngineError:
        return  # who makes something there says why not
    if missing:
        pulumi.log.warn(
            f"gone from the machine: {', '.join(missing)}. Pulumi makes them again when it is told to look: "
            f"`pulumi up --refresh`, or `make up STACK={pulumi.get_stack()}`"
        )


def remove_orphans(
    engine: Engine, stack: str, known: Collection[str], hubs: Collection[str]
) -> list[tuple[str, str]]:
    """Remove what carries the stack's label and is not known; kind and name of each.

    Users' servers are never in the state and stay, as long as there is their hub. Raises pulumi.RunError
    when Docker refuses.
    """
    label = ["--filter", f"label={labels.STACK}={stack}"]
    try:
        containers = engine.run(
            *("ps", "--all", "--no-trunc", *label),
            *(
                "--format",
                f'{{{{.ID}}}} {{{{.Names}}}} {{{{.Label "{labels.ROLE}"}}}} {{{{.Label "{labels.HUB}"}}}}',
            ),
        )
        networks = engine.run("network", "ls", "--no-trunc", *label, "--format", "{{.ID}} {{.Name}}")
        removed = []
        for number, name, *carried in (line.split() for line in containers.splitlines()):
            stays = carried[1] in hubs if carried[:1] == ["user"] else number in known
            if not stays:
                engine.run("rm", "--force", "--volumes", number)
                removed.append(("container", name))
        for number, name in (line.split() for line in networks.splitlines()):
            if number not in known:
                engine.run("network", "rm", number)
                removed.append(("network", name))
    except UnreachableError as error:
        pulumi.log.warn(f"what may be left over was not looked for: {error}")
        return []
    except EngineError as error:
        raise pulumi.RunError(f"what was left over cannot be removed: {error}") from None
    return removed
