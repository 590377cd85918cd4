"""Folders of other machines: servers that run see them come, go without hanging anybody, and come back."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.engine import EngineError
from tests.images.building import (
    DROPPED,
    ENGINE,
    image,
    inspect,
    log,
    network,
    remove,
    running,
    until,
)
from tests.images.remotes import Keys, shared, silent, ssh_machine, webdav_configuration, webdav_machine

SUBNET = "10.120.7.0/24"
REMOTE = "10.120.7.10"

PROMISED_S = 30
"""What the administrator is told: reading there gives an error by then."""

BACK_S = 90
"""A try every minute, and what it takes itself."""


@dataclass
class Space:
    """A space's container on its folder of this machine, and the remote one."""

    kind: str
    container: str
    folder: Path
    files: Path
    """The remote folder, as its machine has it."""
    settings: dict[str, str]
    secret: str
    remote: str = "images-remote"

    def make(self, **other: str) -> None:
        """Make the container as the program does: its secret is put in before it starts."""
        remove(self.container)
        settings = {"KIND": self.kind, "NAME": "archive", "READ_ONLY": "true", **self.settings, **other}
        mount = f"type=bind,source={self.folder},target=/space,bind-propagation=rshared"
        rights = [*DROPPED, "--cap-add", "DAC_OVERRIDE", "--cap-add", "SYS_ADMIN"]
        rights += ["--security-opt", "apparmor=unconfined", "--device", "/dev/fuse"]
        rights += ["--volume", f"{self.folder.parent.parent / 'kept'}:/kept"] if self.kind == "rclone" else []
        words = [word for key, value in settings.items() for word in ("--env", f"{key}={value}")]
        words += ["--name", self.container, "--init", "--network", "images-spaces", "--mount", mount]
        ENGINE.run("create", *words, *rights, image("spaces"))
        secrets = self.folder.parent / "secrets"
        secrets.mkdir(exist_ok=True)
        (secrets / "space_key").write_text(self.secret.rstrip("\n") + "\n")
        ENGINE.run("cp", str(secrets), f"{self.container}:/run/")
        ENGINE.run("start", self.container)

    def read(self, reader: str, file: str = "stars.txt") -> str:
        """What somebody finds in a file; the error if there is one."""
        try:
            return ENGINE.run("exec", reader, "cat", f"/srv/spaces/archive/remote/{file}", seconds=60)
        except EngineError as error:
            return str(error)

    def soon(self, reader: str, within_s: float = 20) -> None:
        """Until somebody finds the remote file."""
        until(lambda: self.read(reader) == "Vega", f"{reader} sees the file\n{log(self.container)}", within_s)


@contextmanager
def user(name: str, folder: Path) -> Iterator[str]:
    """A user's server, with the space's plain folder."""
    mount = f"type=bind,source={folder},target=/srv/spaces/archive,bind-propagation=rslave"
    words = ["--user", "1000:100", "--init", *DROPPED, "--mount", mount, "--entrypoint", "sleep"]
    with running(name, *words, image("spaces"), "3600") as container:
        yield container


@pytest.fixture(scope="module")
def net() -> Iterator[str]:
    with network("images-spaces", "--subnet", SUBNET) as name:
        yield name


@pytest.fixture(scope="module", params=["sshfs", "rclone"])
def space(
    request: pytest.FixtureRequest, net: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Space]:
    """A remote machine with a file, and the space that leads to it; not started yet."""
    folder = tmp_path_factory.mktemp(request.param)
    files = folder / "files"
    files.mkdir()
    (files / "stars.txt").write_text("Vega")
    (files / "unread.txt").write_text("Altair")
    files.chmod(0o755)
    shutil.chown(files, 1000, 100)
    where = ["--network", net, "--ip", REMOTE]
    if request.param == "sshfs":
        keys = Keys.make(folder / "keys")
        machine = ssh_machine("images-remote", keys, files, *where)
        settings = {"REMOTE": f"remote@{REMOTE}:/files", "PORT": "22", "HOST_KEY": keys.host_key}
        secret = keys.private_key
    else:
        machine = webdav_machine("images-remote", files, *where)
        settings = {"REMOTE": "remote:"}
        secret = webdav_configuration(REMOTE)
    with shared(folder / "mounts"), machine:
        (folder / "mounts/archive").mkdir()
        made = Space(request.param, "images-space", folder / "mounts/archive", files, settings, secret)
        try:
            yield made
        finally:
            remove(made.container)


@pytest.fixture(scope="module")
def ada(space: Space) -> Iterator[str]:
    """Somebody whose server is there before anything is mounted."""
    with user("images-ada", space.folder) as name:
        yield name


def test_a_server_that_runs_already_sees_the_folder_when_it_is_mounted(space: Space, ada: str) -> None:
    space.make()
    space.soon(ada)
    assert "Read-only file system" in refused(ada, "touch /srv/spaces/archive/remote/new")


def test_the_key_is_not_to_be_seen_from_outside(space: Space) -> None:
    known = str(inspect(space.container))
    assert space.secret.splitlines()[1] not in known
    assert space.secret.splitlines()[-1] not in known


def test_a_remote_that_falls_silent_gives_an_error_and_nobody_else_waits(space: Space, ada: str) -> None:
    with silent(space.remote):
        begun = time.monotonic()
        said = space.read(ada, "unread.txt")
        took = time.monotonic() - begun
        assert said.startswith("cat: "), said
        assert "error" in said or "not connected" in said, said
        assert took <= PROMISED_S, f"{took:.0f} s"
        begun = time.monotonic()
        with user("images-bob", space.folder):
            assert time.monotonic() - begun < 10, "a server waits for the remote"
    space.soon(ada, BACK_S)


def test_a_remote_that_comes_back_is_there_again_without_anybodys_doing(space: Space, ada: str) -> None:
    ENGINE.run("kill", space.remote)
    assert space.read(ada, "unread.txt").startswith("cat: ")
    ENGINE.run("start", space.remote)
    space.soon(ada, BACK_S)


def test_after_the_container_was_killed_the_folder_is_there_again_for_servers_that_run(
    space: Space, ada: str
) -> None:
    ENGINE.run("kill", space.container)
    with user("images-bob", space.folder) as bob:  # with the dead mount still in the folder
        ENGINE.run("start", space.container)
        space.soon(ada)
        space.soon(bob)


def test_what_users_write_is_on_the_remote_machine(space: Space, ada: str) -> None:
    space.make(READ_ONLY="false")
    space.soon(ada)
    ENGINE.run("exec", ada, "sh", "-c", "echo Deneb >/srv/spaces/archive/remote/new.txt")
    new = space.files / "new.txt"
    until(lambda: new.exists() and new.read_text() == "Deneb\n", "the file is there")


def test_without_the_remote_users_are_refused_and_write_to_no_folder_of_this_machine(
    space: Space, ada: str
) -> None:
    ENGINE.run("stop", space.container)
    assert "Permission denied" in refused(
        ada, "touch /srv/spaces/archive/remote/lost /srv/spaces/archive/lost"
    )
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    assert not [line for line in mounts if str(space.folder) in line and " - fuse" in line]


def test_another_host_key_is_refused(space: Space, ada: str, tmp_path: Path) -> None:
    if space.kind != "sshfs":
        pytest.skip("WebDAV has no host key")
    space.make(HOST_KEY=Keys.make(tmp_path / "other").host_key)
    until(lambda: "the mount ended" in log(space.container), "it gives up")
    assert "Host key verification failed" in log(space.container)
    assert "Permission denied" in space.read(ada)


def test_a_sign_in_that_was_renewed_outlives_the_container_and_another_secret_wins(space: Space) -> None:
    """As rclone does with the tokens of OneDrive and Google: it writes into its configuration."""
    if space.kind != "rclone":
        pytest.skip("ssh renews nothing")

    def configuration() -> str:
        return ENGINE.run("exec", space.container, "cat", "/kept/rclone.conf")

    space.make()
    until(lambda: "vendor = other" in configuration(), "it is there")
    renew = [
        "rclone",
        "--config",
        "/kept/rclone.conf",
        "config",
        "update",
        "remote",
        "description",
        "renewed",
    ]
    ENGINE.run("exec", space.container, *renew)
    space.make()
    until(lambda: "description = renewed" in configuration(), "it is there still")
    ENGINE.run("restart", space.container)
    until(lambda: "description = renewed" in configuration(), "it is there after a restart, too")
    kept = space.folder.parent.parent / "kept"
    assert oct(kept.stat().st_mode)[-3:] == "700"
    first = space.secret
    space.secret = f"{first}\nno_check_certificate = true"
    try:
        space.make()
        until(lambda: "no_check_certificate" in configuration(), "the new secret is taken")
        assert "renewed" not in configuration()
    finally:
        space.secret = first


def refused(container: str, line: str) -> str:
    """The complaint of a command that fails."""
    with pytest.raises(EngineError) as caught:
        ENGINE.run("exec", container, "sh", "-c", line)
    return str(caught.value)
