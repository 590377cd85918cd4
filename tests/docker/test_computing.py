"""A night's computation goes on with nobody there; a server whose page is merely open is stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.docker.conftest import deployed
from tests.support.browser import browser
from tests.support.deployment import Deployment, docker
from tests.support.visitor import Visitor

IDLE_S = 60

SETTINGS = {"hub": {"auth": {"kind": "sharedPassword"}, "culling": {"idleMinutes": IDLE_S // 60}}}


@contextmanager
def _forgotten_notebook(stack: Deployment, password: str, folder: Path) -> Iterator[None]:
    """Bob's browser with an idle notebook, open as long as the block runs."""
    with browser(stack.url, stack.authority, folder / "bob") as bob:
        bob.sign_in_with_password("bob", password)
        bob.choose("corehub")
        bob.wait_for_lab()
        bob.new_notebook()
        bob.run("print('over', 'here')", expect="over here")
        yield


def test_a_silent_loop_in_a_terminal_outlives_the_limit_and_a_forgotten_tab_does_not(
    tmp_path: Path,
) -> None:
    with deployed("computing", tmp_path, SETTINGS) as stack, ExitStack() as stay:
        password = stack.outputs()["sharedPassword"]
        visitor = Visitor(stack.url, stack.authority)
        visitor.sign_in("ada", password)
        visitor.start("ada", "corehub")
        stay.enter_context(_forgotten_notebook(stack, password, tmp_path))
        begun = time.monotonic()
        # As in a tmux that its owner has left: no kernel, no output, no browser.
        docker("exec", "--detach", "computing-user-ada", "sh", "-c", "while :; do :; done")
        while "computing-user-bob" in stack.containers("user"):
            assert time.monotonic() - begun < 3 * IDLE_S, "an open page keeps its server"
            time.sleep(1)
        time.sleep(max(0.0, begun + 3 * IDLE_S - time.monotonic()))
        assert stack.containers("user") == ["computing-user-ada"]
        docker("exec", "computing-user-ada", "pkill", "-f", "while :")
        ended = time.monotonic()
        while stack.containers("user"):
            assert time.monotonic() - ended < 3 * IDLE_S, "its work is done, and it is not stopped"
            time.sleep(1)
