"""Ours and jupyterhub-deploy-docker's arrangement side by side, on the same versions and server image.

Run in the prepared shell, as root for the memory of processes: `python -m benchmarks.compare [--rounds 3]`.
Prints a table of medians and ratios and keeps the figures in benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import ssl
import statistics
import subprocess
import tempfile
import time
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.people import Site, crowd, visit
from tests.images.building import build_stub
from tests.support.deployment import Deployment, docker
from tests.support.ports import free_ports

STUB = "cyberhubs-bench/stub:1"
HERE = Path(__file__).parent
IDLE_S = 20
"""How long a hub has nobody before its memory is read."""

Figures = dict[str, float]


def main() -> None:
    """Measure both in turn, round by round, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    with tempfile.TemporaryDirectory() as folder:
        build_stub(Path(folder), STUB)
    found: dict[str, list[Figures]] = {"ours": [], "peer": []}
    for number in range(rounds):
        for name, measure in (("ours", measure_ours), ("peer", measure_peer)):
            found[name].append(measure())
            print(f"round {number + 1}, {name}: {json.dumps(found[name][-1])}", flush=True)
    report(found)


def measure_ours() -> Figures:
    """Deploy with `pulumi up`, then measure."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    menu = [{"name": "stub", "title": "Stub", "image": STUB, "memoryMb": 128}]
    limits = {"memoryMb": 128, "cpus": 1, "servers": 200}
    hub = {"auth": {"kind": "sharedPassword"}, "menu": menu, "limits": limits}
    deployment = Deployment("bench", folder / "bench", {"hub": hub})
    try:
        begun = time.perf_counter()
        deployment.up()
        figures = {"up with images built (s)": time.perf_counter() - begun}
        begun = time.perf_counter()
        deployment.up()
        figures["up that changes nothing (s)"] = time.perf_counter() - begun
        site = Site(
            f"https://127.0.0.1:{deployment.https_port}",
            deployment.outputs()["sharedPassword"],
            {"application": "stub", "interface": "lab"},
        )
        containers = ["bench-hub", "bench-proxy", "bench-fence"]
        return figures | measure(site, containers, "bench-hub", "bench-user-")
    finally:
        remove("bench-user-")
        deployment.clean_up()
        shutil.rmtree(folder)


def measure_peer() -> Figures:
    """Start the peer's one container, then measure."""
    hub_image = docker("images", "--format", "{{.Repository}}:{{.Tag}}", "cyberhubs/hub").split()[0]
    build = ["docker", "build", "--quiet", "--build-arg", f"HUB={hub_image}", "-t", "cyberhubs-bench/peer"]
    subprocess.run([*build, str(HERE / "peer")], check=True, stdout=subprocess.DEVNULL)
    with peer() as site:
        return measure(site, ["bench-peer"], "bench-peer", "peer-user-")


@contextmanager
def peer() -> Iterator[Site]:
    """The peer while the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    files = ["-keyout", str(folder / "ssl.key"), "-out", str(folder / "ssl.crt")]
    subprocess.run(
        [*request, "-nodes", "-days", "2", "-subj", "/CN=localhost", *files], check=True, capture_output=True
    )
    (port,) = free_ports(1)
    docker("network", "create", "bench-peer")
    try:
        docker(
            *("run", "--detach", "--name", "bench-peer", "--network", "bench-peer"),
            *("--publish", f"127.0.0.1:{port}:443", "--volume", f"{folder}:/tls:ro", "--tmpfs", "/data"),
            *("--volume", "/var/run/docker.sock:/var/run/docker.sock"),
            *("--env", f"DOCKER_NOTEBOOK_IMAGE={STUB}", "--env", "DOCKER_NETWORK_NAME=bench-peer"),
            *("--env", "HUB_CONTAINER=bench-peer", "--env", "PASSWORD=bench-password"),
            "cyberhubs-bench/peer",
        )
        site = Site(f"https://127.0.0.1:{port}", "bench-password", {})
        wait(site)
        yield site
    finally:
        remove("peer-user-")
        subprocess.run(["docker", "rm", "--force", "bench-peer"], check=False, capture_output=True)
        docker("network", "rm", "bench-peer")
        shutil.rmtree(folder)


def measure(site: Site, containers: list[str], hub: str, users: str) -> Figures:
    """All that is measured of both."""
    figures: Figures = {}
    docker("restart", "--time", "10", hub)
    begun = time.perf_counter()
    wait(site)
    figures["hub answers after its start (s)"] = time.perf_counter() - begun
    time.sleep(IDLE_S)
    figures["idle memory (MB)"] = sum(memory_mb(name, "Pss") for name in containers)
    figures["of it, not to be had back from a file (MB)"] = sum(
        memory_mb(name, "Pss_Anon") for name in containers
    )
    visit(site, "first")
    alone = [visit(site, f"alone{number}").ready for number in range(3)]
    figures["server ready, alone (s)"] = statistics.median(alone)
    visits, _ = crowd(site, "ten", 10)
    figures["server ready, last of 10 at once (s)"] = max(each.ready for each in visits)
    visits, seconds = crowd(site, "fifty", 50)
    figures["sign-ins and servers a minute, 50 at once"] = 60 * len(visits) / seconds
    figures["requests/s through TLS"], figures["their p99 (ms)"] = load(f"{site.url}/user/first/x")
    remove(users)
    return figures


def load(url: str) -> tuple[float, float]:
    """Requests a second and their p99 in ms, 32 connections for 10 s, on loopback."""
    said = subprocess.run(
        ["wrk", "-t2", "-c32", "-d10s", "--latency", url], capture_output=True, text=True, check=True
    ).stdout
    assert "Non-2xx" not in said, said
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert rate, said
    assert p99, said
    return float(rate[1]), float(p99[1]) * {"us": 0.001, "ms": 1, "s": 1000}[p99[2]]


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


def wait(site: Site) -> None:
    """Until the hub answers."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for _ in range(2400):
        try:
            with urllib.request.urlopen(f"{site.url}/hub/health", timeout=2, context=context):
                return
        except (TimeoutError, OSError):
            time.sleep(0.025)
    msg = f"{site.url} does not answer"
    raise AssertionError(msg)


def remove(prefix: str) -> None:
    """Remove users' containers."""
    names = docker("ps", "--all", "--filter", f"name=^{prefix}", "--format", "{{.Names}}").split()
    # Docker 20.10 asked to remove sixty at once has been seen to answer nobody any more.
    for first in range(0, len(names), 10):
        docker("rm", "--force", *names[first : first + 10])


def report(found: dict[str, list[Figures]]) -> None:
    """Print medians and ratios, and keep all figures."""
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / f"{datetime.now(UTC):%Y-%m-%d-%H%M}.json").write_text(json.dumps(found, indent=1))
    print("\n| | ours | peer | ours / peer |\n|---|---|---|---|")
    for figure in found["ours"][0]:
        ours = statistics.median(each[figure] for each in found["ours"])
        theirs = [each[figure] for each in found["peer"] if figure in each]
        if theirs:
            other = statistics.median(theirs)
            print(f"| {figure} | {ours:.2f} | {other:.2f} | {ours / other:.2f} |")
        else:
            print(f"| {figure} | {ours:.2f} | | |")


if __name__ == "__main__":
    main()
