"""Has a Docker engine that answers: the one there is, else Debian's, installed and started."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from tools.toolchain import apt
from tools.toolchain.console import Problem, run, step, succeeds

_LOG = Path("/var/log/cyberhubs-dockerd.log")
_START_SECONDS = 60
_SYSTEMD_RUNS = Path("/run/systemd/system")  # as sd_booted(3) decides

_BY_HAND = (
    "By hand: install Docker as https://docs.docker.com/engine/install/ says (Debian, Ubuntu: `sudo apt-get\n"
    "install docker.io`), start it, and let yourself use it (`sudo usermod -aG docker $USER`,\n"
    "then sign in to the machine again), until `docker version` shows a server."
)


def ensure() -> None:
    """Have an engine that answers the docker program, wherever that looks for it.

    Raises Problem, with what to do by hand, where there is none and we may not install one.
    """
    if shutil.which("docker") is None:
        install = ["docker.io", "iptables"]
        if apt.may_install() and apt.candidate("docker-cli") != (0,):
            install.append("docker-cli")  # a package of its own since Debian 13
        apt.install(install, usually="a minute", otherwise=f"Docker is not installed.\n{_BY_HAND}")
    if not _answers():
        _start()


def _answers() -> bool:
    return succeeds(["docker", "version"])


def _start() -> None:
    address = os.environ.get("DOCKER_HOST")
    if address:
        raise Problem(f"No Docker engine answers at DOCKER_HOST={address}. Start it, or unset DOCKER_HOST.")
    if not apt.may_install():
        said = subprocess.run(
            ["docker", "version"], capture_output=True, text=True, check=False
        ).stderr.strip()
        raise Problem(f"No Docker engine answers:\n    {said}\n{_BY_HAND}")
    if shutil.which("dockerd") is None:
        apt.install(["docker.io", "iptables"], usually="a minute", otherwise=_BY_HAND)
        if _answers():
            return
    if _SYSTEMD_RUNS.is_dir():
        with step("Starting Docker by systemd", "10 seconds"):
            run(["systemctl", "enable", "--now", "docker"], by_hand="Look at: journalctl -u docker")
            _wait("journalctl -u docker")
    else:
        with step("Starting Docker as a process of its own", "10 seconds"):
            with _LOG.open("ab") as log:
                # A session of its own: it must outlive this shell.
                process = subprocess.Popen(
                    ["dockerd"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd="/",
                )
            _wait(str(_LOG), process)


def _wait(log: str, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers():
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > deadline:
            lines = _LOG.read_text(errors="replace").splitlines()[-15:] if process is not None else []
            how = "ended at once" if ended else f"did not answer within {_START_SECONDS} s"
            raise Problem(
                "\n".join([f"dockerd {how}; see {log}", *(f"    {line}" for line in lines), _BY_HAND])
            )
        time.sleep(0.5)
