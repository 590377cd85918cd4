"""The `arbutus` stack as a research group has it, on the rig."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from openstack.connection import Connection

from infra.host import Ssh
from infra.machine.machine import Machine
from infra.remote_shell import CommandError
from tests.openstack.rig import life
from tests.openstack.rig.operators import FLAVOR, IMAGE
from tests.openstack.stages import Stage, Stopwatch
from tests.support import small_lab
from tests.support.deployment import ROOT, Deployment, PulumiError, counts

STACK: Final = "arbutus-rig"

DATA_GB: Final = 10

_REPOSITORY: Final = "https://git.example.org/group/lab"

REBUILD: Final = "**::hub-port"
"""What `make rebuild` replaces."""


class ArbutusDeployment(Deployment):
    """Deploys from a home of its own, with an application credential, as docs/arbutus.md says."""

    def __init__(self, folder: Path) -> None:
        """Write the stack's file: the project's own one for Arbutus, with the rig's smaller sizes."""
        document = yaml.safe_load((ROOT / "stacks" / "Pulumi.arbutus.yaml").read_text())
        ours = {"cloud": "arbutus", "flavor": FLAVOR, "image": IMAGE, "dataGb": DATA_GB}
        self.cloud: dict[str, Any] = document["config"]["cyberhubs:cloud"] | ours
        self.home_folder = folder / "home"
        (self.home_folder / ".ssh").mkdir(mode=0o700, parents=True)
        self._publish_lab(folder / "lab")
        menu = [{"name": "lab", "title": "Lab", "git": {"url": _REPOSITORY}}]
        # Sent, as emulation would build for an hour.
        settings = {"cloud": self.cloud, "images": {"source": "ship"}, "hub": small_lab.HUB | {"menu": menu}}
        super().__init__(STACK, folder, settings)

    def _publish_lab(self, repository: Path) -> None:
        """Have the group's own application hub in a git repository, which git finds under its address."""
        repository.mkdir()
        small_lab.write(repository)
        git = ["git", "-C", str(repository), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        for words in (("init", "--quiet", "--initial-branch=main"), ("add", "."), ("commit", "-qm", "Lab")):
            subprocess.run([*git, *words], check=True)
        place = f'[url "file://{repository}"]\n  insteadOf = {_REPOSITORY}\n'
        (self.home_folder / ".gitconfig").write_text(place)

    def environment(self) -> dict[str, str]:
        """The operator's shell."""
        kept = {name: value for name, value in super().environment().items() if not name.startswith("OS_")}
        return kept | {"HOME": str(self.home_folder), "OS_CLIENT_CONFIG_FILE": str(life.clouds_yaml())}

    @property
    def url(self) -> str:
        return f"https://{self.address}"

    @property
    def address(self) -> str:
        """The floating IP."""
        return str(self.outputs()["address"])

    @property
    def machine(self) -> Machine:
        """The machine, to look at what is on it."""
        keys = self.home_folder / ".ssh"
        host_key = " ".join((keys / f"cyberhubs-{STACK}-host.pub").read_text().split()[:2])
        key_file = str(keys / f"cyberhubs-{STACK}")
        return Machine(Ssh(user="debian", key_file=key_file, host_key=host_key), self.address)

    def look(self, script: str) -> str:
        """What a shell script prints on the machine, as root."""
        return self.machine.run(script, as_root=True).strip()

    @property
    def authority(self) -> Path:
        file = self.folder / "root.crt"
        file.write_text(self.look("cat /mnt/cyberhub/proxy/caddy/pki/authorities/local/root.crt") + "\n")
        return file

    def timed_up(self) -> list[Stage]:
        """Deploy, and say how long each stage took. Raises PulumiError."""
        self.prepare()
        watch, said = Stopwatch(), []
        with subprocess.Popen(
            ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", *self.which()],
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            assert running.stdout is not None
            for line in running.stdout:
                watch.hear(line)
                said.append(line)
        if running.returncode != 0:
            raise PulumiError(f"pulumi up:\n{''.join(said)}\n{self.trouble()}")
        return watch.stages()

    def rebuild(self) -> Mapping[str, int]:
        """What `make rebuild` does."""
        return counts(self.pulumi("up", "--yes", "--skip-preview", "--replace", REBUILD))

    def connections(self) -> int:
        """How many SSH connections the machine has taken since it started, that of this question included."""
        return int(self.look("journalctl --boot --quiet --unit ssh --grep 'Accepted publickey' | wc -l"))

    def trouble(self) -> str:
        each = "for name in $(docker ps -aq); do docker logs --tail 40 $name 2>&1; done"
        try:
            return self.look(f"tail -n 40 /var/log/cyberhub-first-boot.log; docker ps -a; {each}; free -m")
        except (CommandError, AssertionError, FileNotFoundError, KeyError) as error:
            return f"the machine cannot be asked: {error}"


def empty(project: Connection) -> None:
    """Delete all that a group can make, as a person would who starts over."""
    for server in project.compute.servers():
        project.compute.delete_server(server)
        project.compute.wait_for_delete(server, wait=180)
    for address in project.network.ips():
        project.network.delete_ip(address)
    for port in project.network.ports(device_owner=""):
        project.network.delete_port(port)
    for group in project.network.security_groups():
        if group.name != "default":
            project.network.delete_security_group(group)
    for pair in project.compute.keypairs():
        project.compute.delete_keypair(pair)
    for volume in project.block_storage.volumes():
        project.block_storage.delete_volume(volume.id)
        project.block_storage.wait_for_delete(volume, wait=60)
