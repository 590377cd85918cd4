"""What goes wrong on the way, and how a person gets out of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hubconfig import labels
from tests.support.deployment import ROOT, Deployment, PulumiError, docker
from tests.support.interruptible import InterruptibleEngine

SETTINGS = {"hub": {"auth": {"kind": "sharedPassword"}}}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment("badday", tmp_path / "badday", SETTINGS)
    try:
        yield deployment
    finally:
        deployment.clean_up()


def refusal(deployment: Deployment) -> str:
    with pytest.raises(PulumiError) as caught:
        deployment.up()
    assert deployment.containers() == []
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


def test_a_port_that_is_taken_is_named_before_anything_is_made(stack: Deployment) -> None:
    with socket.create_server(("127.0.0.1", stack.https_port)):
        message = refusal(stack)
    assert f"cloud.httpsPort: port {stack.https_port} of 127.0.0.1 is taken by another program" in message


def test_a_data_folder_that_cannot_be_is_named_before_anything_is_made(stack: Deployment) -> None:
    (stack.folder / "file").write_text("not a folder")
    stack.data = stack.folder / "file" / "data"
    stack.set({})
    assert "cloud.dataDir" in refusal(stack)


def test_all_faults_of_a_stack_file_are_told_at_once(stack: Deployment) -> None:
    stack.set({"hub": {"auth": {"kind": "github"}, "limits": {"memoryMb": "much"}, "colour": "blue"}})
    with socket.create_server(("127.0.0.1", stack.http_port)):
        message = refusal(stack)
    for words in ("hub.limits.memoryMb", "hub.colour: is not a setting", "cloud.httpPort: port"):
        assert words in message


def test_limits_above_the_machine_are_refused(stack: Deployment) -> None:
    stack.set({"hub": {"auth": {"kind": "sharedPassword"}, "limits": {"memoryMb": 4_000_000}}})
    assert "more than the machine's" in refusal(stack)


def test_a_network_that_is_in_use_is_told(stack: Deployment) -> None:
    docker("network", "create", "--subnet", str(stack.addresses.network), "badday-other")
    try:
        assert "is in use by Docker's network badday-other; set another" in refusal(stack)
    finally:
        docker("network", "rm", "badday-other")


def test_an_update_that_is_killed_again_and_again_is_finished_by_the_next(stack: Deployment) -> None:
    seen = []
    for _ in range(8):
        made = kill_after_the_first_container_or_network(stack)
        if made is None:
            break
        seen.append(made)
    assert len(seen) >= 3, seen
    changed = stack.up()
    assert set(changed) <= {"unchanged", "created"}, changed
    assert {"badday-fence", "badday-proxy", "badday-hub"} == set(stack.containers())
    assert set(stack.up()) == {"unchanged"}


def test_a_container_that_somebody_removed_is_made_again(stack: Deployment) -> None:
    stack.up()
    docker("rm", "--force", "badday-hub")
    changed = stack.refreshed_up()
    assert changed["created"] == 1, changed
    assert "badday-hub" in stack.containers()


def test_an_update_that_docker_leaves_in_the_middle_is_finished_by_the_next(stack: Deployment) -> None:
    engine = InterruptibleEngine(stack.folder / "docker.sock")
    stack.engine = engine.address
    made, printed = disturbed_update(stack, lambda _: engine.stop())
    assert made is not None
    assert "Traceback" not in printed
    assert "docker daemon" in printed.lower(), printed
    with pytest.raises(PulumiError) as caught:
        stack.up()
    assert "Start Docker" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    engine.start()
    try:
        stack.up()
        assert {"badday-fence", "badday-proxy", "badday-hub"} == set(stack.containers())
        assert set(stack.up()) == {"unchanged"}
    finally:
        stack.destroy()
        engine.stop()


def kill_after_the_first_container_or_network(stack: Deployment) -> str | None:
    """Start an update and kill it when it has made something; what that was, None if it needed nothing."""
    made, _ = disturbed_update(stack, lambda process: os.killpg(process.pid, signal.SIGKILL))
    # What `make up` does first.
    subprocess.run(
        [sys.executable, "-m", "tools.stacks", "unlock", stack.name],
        cwd=ROOT,
        env=stack.environment(),
        check=True,
    )
    return made


def disturbed_update(
    stack: Deployment, disturb: Callable[[subprocess.Popen[str]], None]
) -> tuple[str | None, str]:
    """Start an update and disturb it when it has made a container or network.

    What that was, None if it made nothing; and all that the update printed.
    """
    stack.prepare()
    process = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", *stack.which()],
        cwd=ROOT,
        env=stack.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    made = None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if made is None and " created " in line and ("Container" in line or "Network" in line):
            made = line.strip()
            disturb(process)
    process.wait(60)
    return made, "".join(printed)


def test_nothing_of_a_destroyed_stack_is_left(stack: Deployment) -> None:
    stack.up()
    stack.destroy()
    assert stack.containers() == []
    assert not docker("network", "ls", "--quiet", "--filter", f"label={labels.STACK}=badday")
    chains = subprocess.run(["iptables", "-S"], capture_output=True, text=True, check=True).stdout
    assert stack.bridge not in chains
