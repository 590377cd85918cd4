"""Has a stack's hub remove images that no menu and no container needs."""

from __future__ import annotations

from infra.engine import EngineError
from tools.stacks.deployed import Deployed
from tools.toolchain.console import Problem, say


def prune(stack: str) -> None:
    """Remove images that nobody needs, as the hub does by itself. Raises Problem."""
    deployed = Deployed.find(stack)
    running = deployed.hubs()
    if not running:
        raise Problem(
            f"No hub of {stack} runs, and only a hub knows which images are needed: `make up` first."
        )
    try:
        removed = deployed.engine.run("exec", running[0], "python3", "-m", "hubconfig.pruning")
    except EngineError as error:
        raise Problem(f"Nothing was removed:\n    {str(error).splitlines()[-1]}") from None
    say(removed)
