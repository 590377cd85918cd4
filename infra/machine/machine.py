"""A machine that is asked and prepared over SSH."""

from __future__ import annotations

import base64
import shlex
import subprocess
from dataclasses import dataclass
from typing import Final

import pulumi

from infra.host import Ssh
from infra.machine.first_boot import LOG, STATUS, UNIT, FirstBoot, host_files

_SSH_FAILED: Final = 255
"""ssh's own exit code; every other one is the command's."""

_SECONDS: Final = 120
"""For one command."""

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


class SshError(Exception):
    """The machine could not be asked, or did not do what it was told; the text is its own or ssh's."""


class UnreachableError(SshError):
    """Nothing answers."""


class RefusedKeyError(SshError):
    """The machine does not let us in."""


class StrangerError(SshError):
    """What answers is not our machine."""


@dataclass(frozen=True)
class Machine:
    """A machine that is asked over SSH."""

    ssh: Ssh
    address: str

    @property
    def sign_in(self) -> str:
        """The command line that signs in there, whole, for people."""
        return shlex.join([*self._ssh(), f"{self.ssh.user}@{self.address}"])

    def run(self, script: str, *, as_root: bool = False) -> str:
        """What a shell script prints there. Raises SshError."""
        shell = "sudo -n sh -s" if as_root and self.ssh.user != "root" else "sh -s"
        try:
            done = subprocess.run(
                [*self._ssh(), f"{self.ssh.user}@{self.address}", shell],
                input=script,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise pulumi.RunError(
                "the program ssh is not installed; install OpenSSH's client (openssh-client)"
            ) from None
        except subprocess.TimeoutExpired:
            raise UnreachableError("it took the connection and then said nothing for two minutes") from None
        if done.returncode == _SSH_FAILED:
            raise _why(done.stderr.strip())
        if done.returncode != 0:
            raise SshError(done.stderr.strip() or f"it ended with {done.returncode}")
        return done.stdout

    def report(self) -> Report:
        """What it says of itself. Raises SshError."""
        lines = [line.partition("=") for line in self.run(_QUESTION).splitlines()]
        known = Report.__dataclass_fields__
        return Report(**{name: value for name, _, value in lines if name in known})

    def last_words(self) -> str:
        """The end of first boot's log."""
        return self.run(_LAST_WORDS).rstrip()

    def prepare(self, first_boot: FirstBoot) -> None:
        """Put first boot's files there and start it. Raises SshError."""
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
        """Start first boot once more. Raises SshError."""
        self.run(f"rm -f {STATUS}; systemctl restart --no-block {UNIT}", as_root=True)

    def _ssh(self) -> list[str]:
        return ["ssh", *self.ssh.options(), "-p", str(self.ssh.port)]


def _why(words: str) -> SshError:
    """What ssh's complaint means."""
    if "Host key verification failed" in words:
        return StrangerError(_last_line(words))
    if "Permission denied" in words or "Too many authentication failures" in words or "Load key" in words:
        return RefusedKeyError(_last_line(words))
    return UnreachableError(_last_line(words))


def _last_line(words: str) -> str:
    return words.splitlines()[-1] if words else "the connection ended without a word"
