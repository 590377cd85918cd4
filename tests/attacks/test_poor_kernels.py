"""Kernels on which the fence cannot do all of its work: it says so, and does the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.attacks.fenced import environment
from tests.images.building import DROPPED, image, inside, log, running, until

_RIGHTS = (*DROPPED, "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW", "--init")

_DOCKERS = "iptables-nft -N DOCKER-USER && iptables-nft -A FORWARD -j DOCKER-USER"


@contextmanager
def _machine(made: str, *words: str) -> Iterator[str]:
    """A container that has tables of its own, as a machine has, and a fence in it."""
    script = f"{_DOCKERS} && {made} && exec fence keep"
    options = [*_RIGHTS, "--network", "none", *words, *environment(), "--entrypoint", "sh"]
    with running("attacks-poor", *options, image("fence"), "-c", script) as container:
        until(lambda: "installed the rules" in log(container), "it has its rules", within_s=20)
        yield container


def _checked(container: str) -> str:
    return inside(container, "sh", "-c", "fence check 2>&1 && echo healthy || echo unhealthy")


def test_a_kernel_that_leads_traffic_past_the_rules_is_told() -> None:
    with _machine("true", "--tmpfs", "/run", "--sysctl", "net.bridge.bridge-nf-call-iptables=0") as container:
        said = _checked(container)
        assert said.endswith("unhealthy")
        assert "past all rules" in said
        assert "sysctl -w net.bridge.bridge-nf-call-iptables=1" in said
        until(lambda: "past all rules" in log(container), "it is in the log, too", within_s=10)


def test_a_kernel_that_cannot_count_connections_is_fenced_all_the_same_and_told() -> None:
    # As iptables answers where the kernel has no such module.
    poor = (
        "printf '%s\\n' '#!/bin/sh' 'text=$(cat)' "
        "'case $text in *connlimit*) echo No such file or directory >&2; exit 4;; esac' "
        '\'echo "$text" | exec /usr/sbin/iptables-nft-restore "$@"\' >/run/iptables-nft-restore'
        " && chmod 0755 /run/iptables-nft-restore && export PATH=/run:$PATH"
    )
    with _machine(poor, "--tmpfs", "/run:exec") as container:
        said = _checked(container)
        assert said.endswith("unhealthy")
        assert "cannot count connections" in said
        rules = inside(container, "iptables-nft", "-S")
        assert "connlimit" not in rules
        assert "hashlimit" not in rules
        assert "-d 169.254.0.0/16 -j DROP" in rules


def test_a_kernel_that_can_do_all_is_healthy_and_leaves_nothing_behind() -> None:
    with _machine("true", "--tmpfs", "/run") as container:
        assert _checked(container).endswith("healthy")
        assert "unhealthy" not in _checked(container)
        assert inside(container, "iptables-nft", "-S").count("connlimit") > 3
        inside(container, "fence", "remove")
        assert "CYBERHUB" not in inside(container, "iptables-nft", "-S")
