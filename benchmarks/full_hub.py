"""A hub with many people, and its administrator's daily work, on ours and on the peer.

Run in the prepared shell, as root: `python -m benchmarks.full_hub [--rounds 3]`. 1,000 people sign in, 100 of
them have servers (stand-ins); then people sign in again, and one is banned and let in again. Prints a table
of medians and ratios and keeps the figures in benchmarks/results/.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.arrangements import Arrangement
from benchmarks.figures import Figures, memory_mb
from benchmarks.people import Person, RefusedError, back_to_work, crowd, sign_ins
from benchmarks.side_by_side import PutThere, side_by_side
from benchmarks.watching import Watch
from tests.support.deployment import docker

KNOWN = 1000
RUNNING = 100

AT_ONCE = 4
"""People who sign in at the same moment, again and again."""

NEVER_S = 120
"""What has not happened so long after the change is said to happen never; a restart may take 40 s."""


def measured(put_there: PutThere) -> Figures:
    """All that is measured of one."""
    with put_there() as arrangement:
        crowd(arrangement.site, "person", RUNNING, at_once=10)
        sign_ins(arrangement.site, "person", KNOWN, AT_ONCE)
        return crowded(arrangement) | ban(arrangement)


def crowded(arrangement: Arrangement) -> Figures:
    """How long a sign-in takes, and what memory the hub takes."""
    took_s = sign_ins(arrangement.site, "person", KNOWN, AT_ONCE)
    return {
        "sign-in, median (ms)": 1000 * statistics.median(took_s),
        "sign-in, p99 (ms)": 1000 * statistics.quantiles(took_s, n=100)[98],
        "memory (MB)": sum(memory_mb(name, "Pss") for name in arrangement.containers),
        "of it, not to be had back from a file (MB)": sum(
            memory_mb(name, "Pss_Anon") for name in arrangement.containers
        ),
    }


def ban(arrangement: Arrangement) -> Figures:
    """One with a server is banned and let in again, while another works on."""
    banned = Person(arrangement.site, "person0")
    banned.sign_in()
    assert banned.is_in()
    in_force = {
        "ban: new sign-in refused (s)": lambda: not _may_sign_in(arrangement),
        "ban: open session refused (s)": lambda: not banned.is_in(),
        "ban: server gone (s)": lambda: not _runs(f"{arrangement.users}person0"),
    }
    with Watch(arrangement.site, "person1") as watch, ThreadPoolExecutor(len(in_force)) as threads:
        begun = time.perf_counter()
        arrangement.ban(["person0"])
        waits = threads.map(lambda true: _seconds_until(true, begun), in_force.values())
        back_to_work(arrangement.site, "person1")  # who has lost the server by it starts it again at once
        figures = dict(zip(in_force, waits, strict=True))
    begun = time.perf_counter()
    arrangement.ban([])
    figures["ban lifted: sign-in works (s)"] = _seconds_until(lambda: _may_sign_in(arrangement), begun)
    return figures | {
        "ban: outage of somebody else's server (s)": watch.server.outage_s,
        "ban: web sockets of somebody else closed": watch.sockets_closed,
    }


def _may_sign_in(arrangement: Arrangement) -> bool:
    try:
        Person(arrangement.site, "person0").sign_in()
    except RefusedError:
        return False
    return True


def _runs(container: str) -> bool:
    return bool(docker("ps", "--quiet", "--filter", f"name=^{container}$"))


def _seconds_until(true: Callable[[], bool], begun: float) -> float:
    """Seconds since the change until something is so; infinity when it does not come."""
    while time.perf_counter() < begun + NEVER_S:
        try:
            if true():
                return time.perf_counter() - begun
        except OSError:  # a hub that is away neither refuses nor lets in
            pass
        time.sleep(0.02)
    return math.inf


if __name__ == "__main__":
    side_by_side("full-hub", __doc__, measured)
