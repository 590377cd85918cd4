"""A night's computation goes on with nobody there; a server that sleeps is stopped."""

from __future__ import annotations

import time
from pathlib import Path

from tests.docker.conftest import deployed
from tests.support.deployment import docker
from tests.support.visitor import Visitor

IDLE_S = 60

SETTINGS = {"hub": {"auth": {"kind": "sharedPassword"}, "culling": {"idleMinutes": IDLE_S // 60}}}


def test_a_silent_loop_in_a_terminal_outlives_the_limit_and_a_sleeping_server_does_not(
    tmp_path: Path,
) -> None:
    with deployed("computing", tmp_path, SETTINGS) as stack:
        for name in ("ada", "bob"):
            visitor = Visitor(stack.url, stack.authority)
            visitor.sign_in(name, stack.outputs()["sharedPassword"])
            visitor.start(name, "corehub")
        begun = time.monotonic()
        # As in a tmux that its owner has left: no kernel, no output, no browser.
        docker("exec", "--detach", "computing-user-ada", "sh", "-c", "while :; do :; done")
        while "computing-user-bob" in stack.containers("user"):
            assert time.monotonic() - begun < 3 * IDLE_S, "a server that nobody uses is not stopped"
            time.sleep(1)
        time.sleep(max(0.0, begun + 3 * IDLE_S - time.monotonic()))
        assert stack.containers("user") == ["computing-user-ada"]
        docker("exec", "computing-user-ada", "pkill", "-f", "while :")
        ended = time.monotonic()
        while stack.containers("user"):
            assert time.monotonic() - ended < 3 * IDLE_S, "its work is done, and it is not stopped"
            time.sleep(1)
