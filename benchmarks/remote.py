"""What `up` costs on a machine in a cloud: seconds by stage, and SSH connections.

The cloud is the OpenStack of tests/openstack. Run in the prepared shell, as root:
`python -m benchmarks.remote [--rounds 3]`; half an hour, as the machine is emulated. Prints tables.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from tests.openstack.arbutus import ArbutusDeployment, empty
from tests.openstack.rig import life


def main() -> None:
    """Have the rig, measure on it, and take away what was not there before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    was_up = life.is_up()
    life.up()
    folder = Path(tempfile.mkdtemp(prefix="cyberhubs-bench-"))
    try:
        measure(ArbutusDeployment(folder / "stack"), rounds)
    finally:
        with life.connect("arbutus") as project:
            empty(project)
        shutil.rmtree(folder)
        if not was_up:
            life.down()


def measure(stack: ArbutusDeployment, rounds: int) -> None:
    """Bring a stack up in an empty project, then again without a change."""
    load = os.getloadavg()[0]
    with life.connect("arbutus") as project:
        empty(project)
    stages = stack.timed_up()
    connections = stack.connections() - 1
    print(f"\n{os.cpu_count()} CPUs, load {load:.1f} before the first up\n")
    print("| up on an empty project | s |\n|---|---|")
    for stage in stages:
        print(f"| {stage.name} | {stage.seconds:.0f} |")
    print(f"| in all | {sum(stage.seconds for stage in stages):.0f} |")
    print(f"| SSH connections | {connections} |", flush=True)
    seconds, used = [], []
    for _ in range(rounds):
        before = stack.connections()
        begun = time.perf_counter()
        changed = stack.up()
        seconds.append(time.perf_counter() - begun)
        assert set(changed) == {"unchanged"}, changed
        used.append(stack.connections() - before - 1)
    print(f"\n| up that changes nothing, median of {rounds} | |\n|---|---|")
    print(f"| s | {statistics.median(seconds):.1f} |")
    print(f"| SSH connections | {statistics.median(used):.0f} |")


if __name__ == "__main__":
    main()
