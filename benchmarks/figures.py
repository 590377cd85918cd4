"""Figures of several rounds, brought to one table."""

from __future__ import annotations

import json
import math
import os
import platform
import re
import statistics
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.support.deployment import docker

RESULTS = Path(__file__).parent / "results"

Figures = dict[str, float]
"""What was measured, with its unit, to the value; infinity for what never came."""


def rounds(count: int, measures: Mapping[str, Callable[[], Figures]], name: str) -> None:
    """Measure all in turn, round by round, so that a busy time of the machine meets all of them.

    Prints each round with the machine's load before it, then a table of medians, and keeps all figures.
    """
    print(machine(), flush=True)
    found: dict[str, list[Figures]] = {which: [] for which in measures}
    for number in range(1, count + 1):
        for which, measure in measures.items():
            load = os.getloadavg()[0]
            found[which].append(measure())
            print(
                f"round {number}, {which}, load before {load:.1f}: {json.dumps(found[which][-1])}", flush=True
            )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}-{datetime.now(UTC):%Y-%m-%d-%H%M}.json").write_text(json.dumps(found, indent=1))
    print(f"\n{table(found)}")


def machine() -> str:
    """On what it is measured, in one line."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    engine = docker("version", "--format", "{{.Server.Version}}")
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {memory_gb:.0f} GB, "
        f"Linux {platform.release()}, Docker {engine}"
    )


def table(found: Mapping[str, list[Figures]]) -> str:
    """Medians of ours and of the peer, and their ratio, as Markdown."""
    medians = {
        which: {name: statistics.median(each[name] for each in all_rounds) for name in all_rounds[0]}
        for which, all_rounds in found.items()
    }
    ours, peer = medians["ours"], medians["peer"]
    lines = ["| | ours | peer | ours / peer |", "|---|---|---|---|"]
    for name in ours:
        other = peer.get(name)
        ratio = f"{ours[name] / other:.2f}" if other else ""
        lines.append(
            f"| {name} | {_shown(ours[name])} | {'' if other is None else _shown(other)} | {ratio} |"
        )
    return "\n".join(lines)


def memory_mb(container: str, kind: str) -> float:
    """Memory of all processes of a container; pages that several share are counted once.

    :param kind: `Pss` for all of it; `Pss_Anon` without the pages of programs and libraries, which Linux
        drops and reads again when memory is short.
    """
    pids = [line.strip() for line in docker("top", container, "-eo", "pid").splitlines()[1:]]
    total_kb = 0
    for pid in pids:
        found = re.search(rf"^{kind}:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        total_kb += int(found[1]) if found else 0
    return total_kb / 1024


def _shown(value: float) -> str:
    if math.isinf(value):
        return "never"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"
