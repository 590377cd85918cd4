"""Ours and jupyterhub-deploy-docker's arrangement side by side, on the same versions and server image.

Run in the prepared shell, as root for the memory of processes: `python -m benchmarks.compare [--rounds 3]`.
Prints a table of medians and ratios and keeps the figures in benchmarks/results/.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import time
from datetime import UTC, datetime

from benchmarks.arrangements import Arrangement
from benchmarks.figures import Figures, memory_mb
from benchmarks.people import back_to_work, crowd, visit
from benchmarks.side_by_side import PutThere, side_by_side
from benchmarks.watching import Watch
from tests.support.deployment import docker

IDLE_S = 20
"""How long a hub has nobody before its memory is read."""


def measured(put_there: PutThere) -> Figures:
    """All that is measured of one."""
    with put_there() as arrangement:
        return (
            arrangement.putting_it_there
            | start_and_idle(arrangement)
            | servers(arrangement)
            | requests_through_tls(arrangement)
            | upgrade(arrangement)
        )


def start_and_idle(arrangement: Arrangement) -> Figures:
    """How soon the hub answers, and what memory all takes while nobody is there."""
    docker("restart", "--time", "10", arrangement.hub)
    arrangement.answers()
    answers_s = (datetime.now(UTC) - _started_at(arrangement.hub)).total_seconds()
    time.sleep(IDLE_S)
    return {
        "hub answers after its start (s)": answers_s,
        "idle memory (MB)": sum(memory_mb(name, "Pss") for name in arrangement.containers),
        "of it, not to be had back from a file (MB)": sum(
            memory_mb(name, "Pss_Anon") for name in arrangement.containers
        ),
    }


def _started_at(container: str) -> datetime:
    text = docker("inspect", "--format", "{{.State.StartedAt}}", container)
    return datetime.fromisoformat(f"{text[:23]}+00:00")  # to the millisecond; Docker cuts trailing zeros


def servers(arrangement: Arrangement) -> Figures:
    """How soon servers are ready: alone, one of ten at once, one of fifty at once."""
    site = arrangement.site
    visit(site, "first")
    alone = statistics.median(visit(site, f"alone{number}").ready for number in range(3))
    ten, _ = crowd(site, "ten", 10)
    last_s = max(each.ready for each in ten)
    fifty, seconds = crowd(site, "fifty", 50)
    return {
        "server ready, alone (s)": alone,
        "server ready, last of 10 at once (s)": last_s,
        "last of 10 at once / alone": last_s / alone,
        "sign-ins and servers a minute, 50 at once": 60 * len(fifty) / seconds,
        "starts that failed, of these 50": sum(each.failed_starts for each in fifty),
    }


def requests_through_tls(arrangement: Arrangement) -> Figures:
    """Requests a second to a user's server and their p99, 32 connections for 10 s, on loopback."""
    url = f"{arrangement.site.url}/user/first/x"
    said = subprocess.run(
        ["wrk", "-t2", "-c32", "-d10s", "--latency", url], capture_output=True, text=True, check=True
    ).stdout
    assert "Non-2xx" not in said, said
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert rate, said
    assert p99, said
    return {
        "requests/s through TLS": float(rate[1]),
        "their p99 (ms)": float(p99[1]) * {"us": 0.001, "ms": 1, "s": 1000}[p99[2]],
    }


def upgrade(arrangement: Arrangement) -> Figures:
    """What somebody at work notices of an upgrade of the hub.

    Who has lost the server by it signs in and starts it again as soon as the hub answers.
    """
    with Watch(arrangement.site, "first") as watch:
        arrangement.upgrade()
        arrangement.answers()
        back_to_work(arrangement.site, "first")
    return {
        "upgrade of the hub: outage of a running server (s)": watch.server.outage_s,
        "upgrade of the hub: its web sockets closed": watch.sockets_closed,
        "upgrade of the hub: longest wait for the hub (s)": watch.hub.longest_silence_s,
    }


if __name__ == "__main__":
    side_by_side("compare", __doc__, measured)
