"""The fence: who reaches whom on the users' network, measured with real connections."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial

import pytest

from tests.images.building import (
    ENGINE,
    image,
    inside,
    inspect,
    log,
    network,
    refusal,
    running,
    until,
)
from tests.images.neighbourhood import (
    ADA,
    ASTRO_HUB,
    BOB,
    BRIDGE,
    FENCE,
    GATEWAY,
    HUB,
    METADATA,
    ON_THE_MACHINE,
    PROXY,
    SUBNET,
    Neighbourhood,
    fence,
    metadata,
    on_the_machine,
)
from tests.images.neighbours import listening, reached

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a network to fence off")


@pytest.fixture(scope="module")
def place() -> Iterator[Neighbourhood]:
    """A neighbourhood without a fence."""
    image("hub")
    image("fence")
    with ExitStack() as all_of_it:
        machine_port = all_of_it.enter_context(on_the_machine())
        public_port = all_of_it.enter_context(on_the_machine())
        all_of_it.enter_context(metadata())
        options = [
            *("--subnet", SUBNET, "--gateway", GATEWAY, "--ip-range", "10.213.104.0/21"),
            *("--opt", "com.docker.network.bridge.enable_icc=false"),
            *("--opt", f"com.docker.network.bridge.name={BRIDGE}"),
        ]
        net = all_of_it.enter_context(network("images-net", *options))
        all_of_it.callback(remove_rules)
        for name, address, ports in (
            ("hub", HUB, (8081, 9999)),
            ("astro", ASTRO_HUB, (8081,)),
            ("proxy", PROXY, (8080, 8443, 9999)),
            ("ada", ADA, (8888, 9999)),
            ("bob", BOB, (8888, 9999)),
        ):
            all_of_it.enter_context(listening(f"images-{name}", net, address, *ports))
        for name in ("hub", "astro", "proxy", "ada", "bob"):
            until(partial(_listens, name), f"{name} listens")
        yield Neighbourhood(machine_port, public_port)


def _listens(name: str) -> bool:
    return "listening" in log(f"images-{name}")


def remove_rules() -> str:
    """Take away what a fence left."""
    return ENGINE.run("run", "--rm", *ON_THE_MACHINE, "--env", f"BRIDGE={BRIDGE}", image("fence"), "remove")


@pytest.fixture
def fenced(place: Neighbourhood) -> Iterator[Neighbourhood]:
    """The neighbourhood with its fence up."""
    with running("images-fence", *place.fence()):
        until(rules_in_place, "the rules are there", within_s=20)
        yield place
    remove_rules()


def rules_in_place() -> bool:
    """What the fence itself says."""
    return "are in place" in ENGINE.run("exec", "images-fence", "sh", "-c", "fence check 2>&1 || true")


def rules() -> list[str]:
    """All of the machine's rules that name the bridge."""
    script = (
        "iptables-nft -S; iptables-nft -t nat -S; ip6tables-nft -S; grep -qs filter /proc/net/ip_tables_names"
    )
    script += " && iptables-legacy -S; true"
    words = [*ON_THE_MACHINE, "--entrypoint", "sh", image("fence"), "-c", script]
    return [line for line in ENGINE.run("run", "--rm", *words).splitlines() if f"CYBERHUB-{BRIDGE}" in line]


def on_fence(*words: str) -> str:
    """Run iptables where the fence runs."""
    return inside("images-fence", *words)


def test_without_the_fence_no_server_can_be_reached_but_the_metadata_can(place: Neighbourhood) -> None:
    assert reached("images-hub", [(ADA, 8888)]) == {(ADA, 8888): False}
    assert reached("images-ada", [(METADATA, 80)]) == {(METADATA, 80): True}
    assert reached("images-ada", [(place.machine_address, place.machine_port)]) == {
        (place.machine_address, place.machine_port): True
    }


def test_behind_the_fence_everybody_reaches_what_they_need_and_nothing_else(fenced: Neighbourhood) -> None:
    assert fenced.verdict() == fenced.should_be()


def test_rules_that_a_firewall_flushed_come_back(fenced: Neighbourhood) -> None:
    on_fence("iptables", "-F", f"CYBERHUB-{BRIDGE}")
    on_fence("iptables", "-F", "INPUT")
    on_fence("ip6tables", "-F", "INPUT")
    assert until(rules_in_place, "the rules are back", within_s=30) < 15
    assert fenced.verdict() == fenced.should_be()


def test_a_rule_that_somebody_puts_in_front_does_not_open_the_fence(fenced: Neighbourhood) -> None:
    foreign = ["DOCKER-USER", "-s", SUBNET, "-m", "comment", "--comment", "images-tests", "-j", "ACCEPT"]
    on_fence("iptables", "-I", *foreign)
    try:
        until(rules_in_place, "the fence's rules are first again", within_s=30)
        assert fenced.verdict() == fenced.should_be()
    finally:
        on_fence("iptables", "-D", *foreign)


def test_one_changed_rule_is_put_right(fenced: Neighbourhood) -> None:
    on_fence("iptables", "-I", f"CYBERHUB-{BRIDGE}", "1", "-d", METADATA, "-j", "ACCEPT")
    until(rules_in_place, "the rules are as they were", within_s=30)
    assert reached("images-ada", [(METADATA, 80)]) == {(METADATA, 80): False}


def test_nothing_opens_while_the_fence_is_restarted(fenced: Neighbourhood) -> None:
    ENGINE.run("stop", "images-fence")
    assert "the rules for ch-images stay" in log("images-fence")
    assert fenced.verdict() == fenced.should_be()
    ENGINE.run("start", "images-fence")
    until(rules_in_place, "the rules are there", within_s=20)
    assert fenced.verdict() == fenced.should_be()


def test_docker_sees_the_fence_as_healthy(fenced: Neighbourhood) -> None:
    assert fenced
    check = inspect(image("fence"))["Config"]["Healthcheck"]["Test"]
    assert check == ["CMD", "fence", "check"]
    assert "are in place" in on_fence(*check[1:])


def test_two_fences_on_a_machine_let_each_other_be(fenced: Neighbourhood) -> None:
    with running("images-fence2", *fence(fenced.public_port, "ch-images2")):
        until(lambda: "installed" in log("images-fence2"), "the second has its rules")
        time.sleep(2)
        before = log("images-fence"), log("images-fence2")
        time.sleep(12)  # two looks of each
        assert (log("images-fence"), log("images-fence2")) == before
        ENGINE.run("stop", "images-fence2")
        # Its bridge never was; so nobody needs its rules.
        assert "removed the rules for ch-images2" in log("images-fence2")
    assert fenced.verdict() == fenced.should_be()


def test_an_idle_fence_takes_next_to_nothing(fenced: Neighbourhood) -> None:
    assert fenced

    def used_s() -> float:
        pid = inspect("images-fence")["State"]["Pid"]
        text = subprocess.run(
            ["cat", f"/proc/{pid}/task/{pid}/children", f"/proc/{pid}/stat"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        child = text.splitlines()[0].split()[0]
        stat = subprocess.run(
            ["cat", f"/proc/{child}/stat"], capture_output=True, text=True, check=True
        ).stdout
        # Fields 14 to 17: its own time and that of children that have ended, in hundredths of a second.
        return sum(map(int, stat.rpartition(")")[2].split()[11:15])) / 100

    before = used_s()
    time.sleep(15)
    assert used_s() - before < 0.6  # 15 s of a processor would be 15; on a busy machine 0.1 to 0.3 seen


def test_after_the_last_container_the_rules_go(place: Neighbourhood) -> None:
    assert place
    with running("images-fence3", *fence(place.public_port, "ch-images3")):
        until(lambda: "installed" in log("images-fence3"), "it has its rules")
        ENGINE.run("stop", "images-fence3")
        assert "removed the rules for ch-images3" in log("images-fence3")
    assert "removed the rules" in remove_rules()
    assert rules() == []


def test_a_machine_with_the_older_tables_is_fenced_in_them() -> None:
    made = (
        "iptables-legacy -N DOCKER-USER && iptables-legacy -A FORWARD -j DOCKER-USER"
        " && iptables-legacy -A DOCKER-USER -j RETURN && exec fence keep"
    )
    with _on_a_machine_of_its_own("sh", "-c", made) as container:
        if "can't initialize" in log(container):
            pytest.skip("this kernel has no older tables")
        until(
            lambda: "installed the rules for ch-old in iptables-legacy" in log(container), "it has its rules"
        )
        until(
            lambda: "are in place" in inside(container, "sh", "-c", "fence check 2>&1 || true"), "they hold"
        )
        in_use = inside(container, "iptables-legacy", "-S", "DOCKER-USER").splitlines()
        assert in_use[1] == "-A DOCKER-USER -i ch-old -j CYBERHUB-ch-old"
        ENGINE.run("stop", container)
        assert "removed the rules for ch-old" in log(container)


def test_where_docker_keeps_no_rules_the_fence_says_what_it_waits_for() -> None:
    with _on_a_machine_of_its_own("fence", "keep") as container:
        until(lambda: "waiting for Docker's chain DOCKER-USER" in log(container), "it says so")
        assert "is not there" in inside(container, "sh", "-c", "fence check 2>&1 || true")


def _on_a_machine_of_its_own(*command: str) -> AbstractContextManager[str]:
    """A container that has tables of its own, as a machine has."""
    program, *words = command
    known = {"BRIDGE": "ch-old", "SUBNET": SUBNET, "HUB_ADDRESS": HUB, "PROXY_ADDRESS": PROXY}
    known |= {"HUB_PORT": "8081", "PROXY_PORTS": "8080 8443"}
    environment = [word for item in known.items() for word in ("--env", "=".join(item))]
    own = [word for word in FENCE if word != "host"]
    own.insert(own.index("--network") + 1, "none")
    return running("images-old", *own, *environment, "--entrypoint", program, image("fence"), *words)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "BRIDGE does not say which bridge to guard"),
        ({"BRIDGE": "a-name-that-is-too-long"}, "longer than the 15 characters"),
        ({"BRIDGE": "br; reboot"}, "letters, digits, - and _ only"),
        ({"BRIDGE": "br"}, "SUBNET is not set"),
        ({"BRIDGE": "br", "SUBNET": SUBNET}, "HUB_ADDRESS is not set"),
        (
            {"BRIDGE": "br", "SUBNET": SUBNET, "HUB_ADDRESS": "hub"},
            "HUB_ADDRESS may hold IPv4 addresses only",
        ),
    ],
)
def test_a_fence_that_was_told_too_little_says_so(environment: dict[str, str], said: str) -> None:
    words = [word for item in environment.items() for word in ("--env", "=".join(item))]
    assert said in refusal(*words, image("fence"))
