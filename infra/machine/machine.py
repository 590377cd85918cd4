"""A machine that is asked and prepared over SSH."""

from __future__ import annotations

import base64
import shlex
from dataclasses import dataclass

from infra import remote_shell
from infra.host import Ssh
from infra.machine.first_boot import LOG, STATUS, UNIT, FirstBoot, host_files

_QUESTION = f"""\
if [ -r {STATUS} ]; then cat {STATUS}; else
  echo state=absent
  [ -e /etc/systemd/system/{UNIT} ] || cloud-init status 2>/dev/null | sed -n 's/^status: */cloud_init=/p'
fi
if grep -qs '^state=done' {STATUS}; then
  if version=$(docker version --format '{{{{.Server.Version}}}}' 2>&1); then echo "docker=$version"
  else printf '%s\\n' "$version" | tail -n 1 | sed 's/^/docker_error=/'; fi
fi
"""

_LAST_WORDS = f"tail -n 25 {LOG} 2>/dev/null || tail -n 25 /var/log/cloud-init-output.log 2>/dev/null || true"


@dataclass(frozen=True)
class Report:
    """What a machine says of itself."""

    state: str = "absent"
    """absent, running, waiting (it will try again by itself), failed or done."""
    stage: str = ""
    message: str = ""
    digest: str = ""
    """The files that it was prepared with."""
    cloud_init: str = ""
    """How far cloud-init is, while first boot's files are not there."""
    docker: str = ""
    """The engine's version, once first boot is done and the engine answers us."""
    docker_error: str = ""

    @property
    def ready(self) -> bool:
        """Docker can be used."""
        return self.state == "done" and bool(self.docker)


@dataclass(frozen=True)
class Machine:
    """A machine that is asked over SSH."""

    ssh: Ssh
    address: str

    @property
    def sign_in(self) -> str:
        """The command line that signs in there, whole, for people."""
        return shlex.join(self.ssh.command(self.address))

    def run(self, script: str, *, as_root: bool = False) -> str:
        """What a shell script prints there. Raises CommandError."""
        root = ["sudo", "-n"] if as_root and self.ssh.user != "root" else []
        command = self.ssh.command(self.address, *root, "sh", "-s")
        return remote_shell.run(command, over_ssh=True, text=script).stdout

    def report(self) -> Report:
        """What it says of itself. Raises CommandError."""
        lines = [line.partition("=") for line in self.run(_QUESTION).splitlines()]
        known = Report.__dataclass_fields__
        return Report(**{name: value for name, _, value in lines if name in known})

    def last_words(self) -> str:
        """The end of first boot's log."""
        return self.run(_LAST_WORDS).rstrip()

    def prepare(self, first_boot: FirstBoot) -> None:
        """Put first boot's files there and start it. Raises CommandError."""
        lines = ["set -e"]
        for file in host_files(first_boot):
            path, folder = shlex.quote(file.path), shlex.quote(file.path.rpartition("/")[0])
            packed = base64.b64encode(file.text.encode()).decode()
            lines += [
                f"mkdir -p {folder}",
                f"echo {packed} | base64 -d >{path}",
                f"chmod {file.mode:o} {path}",
            ]
        # So that the next look does not find what an earlier run left.
        lines += [f"rm -f {STATUS}", "systemctl daemon-reload", f"systemctl enable {UNIT}"]
        lines += [f"systemctl restart --no-block {UNIT}"]
        self.run("\n".join(lines), as_root=True)

    def try_again(self) -> None:
        """Start first boot once more. Raises CommandError."""
        self.run(f"rm -f {STATUS}; systemctl restart --no-block {UNIT}", as_root=True)
