"""The two arrangements that are compared: ours, and that of jupyterhub-deploy-docker."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.people import Site
from tests.images.building import build_stub, image
from tests.support.deployment import Deployment, docker
from tests.support.ports import free_ports

STUB = "cyberhubs-bench/stub:1"
"""A stand-in for a user's server, so that hub and proxy are measured and not JupyterLab."""

PEER = "cyberhubs-bench/peer"

PEER_FOLDER = Path(__file__).parent / "peer"

SERVERS_MAX = 200


@dataclass(frozen=True)
class Arrangement:
    """A hub that runs, and what its administrator can do to it."""

    site: Site
    hub: str
    """The container that the hub is in."""
    containers: Sequence[str]
    """All that runs besides users' servers."""
    users: str
    """What the names of users' containers begin with."""
    putting_it_there: Figures
    upgrade: Callable[[], None]
    """Replaces the hub by another version of it; returns when that is done."""
    ban: Callable[[Sequence[str]], None]
    """Has these people banned and nobody else, in the arrangement's own way; returns when that is done."""

    def answers(self) -> None:
        """Wait until the hub answers."""
        wait(self.site)


def make_stub() -> None:
    """Have the stand-in's image."""
    with tempfile.TemporaryDirectory() as folder:
        build_stub(Path(folder), STUB)


@contextmanager
def ours() -> Iterator[Arrangement]:
    """Our hub, put there by `pulumi up`, while the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    menu = [{"name": "stub", "title": "Stub", "image": STUB, "memoryMb": 128}]
    limits = {"memoryMb": 128, "cpus": 1, "servers": SERVERS_MAX}
    hub = {"auth": {"kind": "sharedPassword"}, "menu": menu, "limits": limits}
    Deployment("bench", folder / "bench", {"hub": hub}).clean_up()  # of a run that was killed
    deployment = Deployment("bench", folder / "bench", {"hub": hub})

    def upgrade() -> None:
        deployment.set({"hub": hub | {"title": "Upgraded"}})
        assert deployment.up()["replaced"] == 1

    def ban(people: Sequence[str]) -> None:
        deployment.put_list("blist", "".join(f"{person}\n" for person in people))

    try:
        deployment.prepare()
        figures = {
            "up, images built (s)": _seconds(deployment.up),
            "up that changes nothing (s)": _seconds(deployment.up),
        }
        yield Arrangement(
            site=Site(
                f"https://127.0.0.1:{deployment.https_port}",
                deployment.outputs()["sharedPassword"],
                {"application": "stub", "interface": "lab"},
            ),
            hub="bench-hub",
            containers=["bench-hub", "bench-proxy", "bench-fence"],
            users="bench-user-",
            putting_it_there=figures,
            upgrade=upgrade,
            ban=ban,
        )
    finally:
        remove("bench-user-")
        deployment.clean_up()
        shutil.rmtree(folder)


@contextmanager
def peer() -> Iterator[Arrangement]:
    """The peer's one container, hub and configurable-http-proxy in it, while the block runs."""
    build = ["docker", "build", "--quiet", "--build-arg", f"HUB={image('hub')}", "-t", PEER]
    subprocess.run([*build, str(PEER_FOLDER)], check=True, stdout=subprocess.DEVNULL)
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    for part in ("tls", "data", "lists"):
        (folder / part).mkdir()
    (folder / "lists/blocked").touch()
    _certificate(folder / "tls")
    (port,) = free_ports(1)
    site = Site(f"https://127.0.0.1:{port}", "bench-password", {})

    def start() -> None:
        docker(
            *("run", "--detach", "--name", "bench-peer", "--network", "bench-peer"),
            *("--publish", f"127.0.0.1:{port}:443", "--volume", f"{folder}/tls:/tls:ro"),
            *("--volume", f"{folder}/data:/data", "--volume", f"{folder}/lists:/lists:ro"),
            *("--volume", "/var/run/docker.sock:/var/run/docker.sock"),
            *("--env", f"DOCKER_NOTEBOOK_IMAGE={STUB}", "--env", "DOCKER_NETWORK_NAME=bench-peer"),
            *("--env", "HUB_CONTAINER=bench-peer", "--env", "PASSWORD=bench-password", PEER),
        )
        wait(site)

    def put_there() -> None:
        docker("network", "create", "bench-peer")
        start()

    def upgrade() -> None:
        docker("stop", "bench-peer")
        docker("rm", "bench-peer")
        start()

    def ban(people: Sequence[str]) -> None:
        # It knows no list but its configuration, which it reads when it starts.
        (folder / "lists/blocked").write_text("\n".join(people))
        docker("restart", "bench-peer")
        wait(site)

    remove("peer-user-")
    remove("bench-peer")
    subprocess.run(["docker", "network", "rm", "bench-peer"], check=False, capture_output=True)
    try:
        yield Arrangement(
            site=site,
            hub="bench-peer",
            containers=["bench-peer"],
            users="peer-user-",
            putting_it_there={"up, images built (s)": _seconds(put_there)},
            upgrade=upgrade,
            ban=ban,
        )
    finally:
        remove("peer-user-")
        remove("bench-peer")
        docker("network", "rm", "bench-peer")
        shutil.rmtree(folder)


def wait(site: Site) -> None:
    """Until the hub answers. Raises AssertionError after two minutes."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    deadline = time.perf_counter() + 120
    while time.perf_counter() < deadline:
        try:
            with urllib.request.urlopen(f"{site.url}/hub/health", timeout=60, context=context):
                return
        except (TimeoutError, OSError):
            time.sleep(0.025)
    raise AssertionError(f"{site.url} does not answer")


def remove(prefix: str) -> None:
    """Remove the containers whose names begin so."""
    names = docker("ps", "--all", "--filter", f"name=^{prefix}", "--format", "{{.Names}}").split()
    # Docker 20.10 asked to remove sixty at once has been seen to answer nobody any more.
    for first in range(0, len(names), 10):
        docker("rm", "--force", *names[first : first + 10])


def _certificate(folder: Path) -> None:
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    files = ["-keyout", str(folder / "ssl.key"), "-out", str(folder / "ssl.crt")]
    subprocess.run(
        [*request, "-nodes", "-days", "2", "-subj", "/CN=localhost", *files], check=True, capture_output=True
    )


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
