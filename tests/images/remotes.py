"""Other machines whose folders a hub mounts: one with ssh, one with WebDAV; and a registry of images."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from infra.engine import EngineError
from tests.images.building import ENGINE, base_image, build, image, inspect, running, until

WEBDAV_PORT = 8080
WEBDAV_PASSWORD = "a password of the remote"


@cache
def servers() -> str:
    """The image with the servers."""
    build("cyberhubs-tests/servers", Path(__file__).parent / "servers", BASE=base_image())
    return "cyberhubs-tests/servers"


@dataclass(frozen=True)
class Keys:
    """The keys of a machine with ssh, and of who may sign in there."""

    host_key: str
    """As ssh-keyscan prints it, without the name."""
    private_key: str
    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Keys:
        """Make both pairs in a new folder."""
        folder.mkdir()
        for name in ("host", "user"):
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)]
            subprocess.run(words, check=True)
        public = (folder / "host.pub").read_text().split()
        return cls(" ".join(public[:2]), (folder / "user").read_text(), folder)


def ssh_machine(name: str, keys: Keys, files: Path, *options: str) -> AbstractContextManager[str]:
    """A machine with ssh, whose folder /files belongs to the user `remote`."""
    start = (
        "cp /keys/host /etc/ssh/ssh_host_ed25519_key && chmod 0600 /etc/ssh/ssh_host_ed25519_key && "
        "install -d -o remote /home/remote/.ssh && "
        "install -o remote -m 0600 /keys/user.pub /home/remote/.ssh/authorized_keys && "
        "exec /usr/sbin/sshd -D -e"
    )
    mounts = ["--volume", f"{keys.folder}:/keys:ro", "--volume", f"{files}:/files"]
    return running(name, "--init", *mounts, *options, servers(), "sh", "-c", start)


@contextmanager
def silent(machine: str) -> Iterator[None]:
    """A machine that answers nothing while the block runs, and hangs up on nobody."""

    def pauses() -> bool:
        # Linux does not freeze a process in the middle of some of its calls; Docker then says that it cannot.
        with suppress(EngineError):
            ENGINE.run("pause", machine)
        return bool(inspect(machine)["State"]["Paused"])

    until(pauses, f"{machine} is paused")
    try:
        yield
    finally:
        ENGINE.run("unpause", machine)


def webdav_machine(name: str, files: Path, *options: str) -> AbstractContextManager[str]:
    """A machine that serves a folder by WebDAV."""
    serve = ["serve", "webdav", "/files", "--addr", f":{WEBDAV_PORT}", "--user", "remote"]
    words = ["--init", "--volume", f"{files}:/files", *options, "--entrypoint", "rclone", image("spaces")]
    return running(name, *words, *serve, "--pass", WEBDAV_PASSWORD)


def webdav_configuration(address: str) -> str:
    """The rclone.conf that leads to such a machine, as its section `remote`."""
    obscure = ["run", "--rm", "--entrypoint", "rclone", image("spaces"), "obscure", WEBDAV_PASSWORD]
    hidden = ENGINE.run(*obscure)
    lines = ["type = webdav", f"url = http://{address}:{WEBDAV_PORT}", "vendor = other", "user = remote"]
    return "\n".join(["[remote]", *lines, f"pass = {hidden}"])


def registry(name: str, port: int) -> AbstractContextManager[str]:
    """A registry of images at 127.0.0.1:PORT, which Docker uses without TLS as it is on this machine."""
    serve = ["docker-registry", "serve", "/etc/docker/registry/config.yml"]
    return running(name, "--init", "--publish", f"127.0.0.1:{port}:5000", servers(), *serve)


@contextmanager
def shared(folder: Path) -> Iterator[Path]:
    """A folder below which mounts are passed on, as on a machine whose first process is systemd."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "--make-shared", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", "--recursive", folder], check=True)
