"""A stack of its own on this machine's Docker, put there by the real `pulumi`, and removed again."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hubconfig import labels
from hubconfig.names import Names
from infra.site.addresses import Addresses, addresses
from tests.support.ports import free_ports

ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / "test-output"
"""Where screenshots and logs are kept for whoever looks at a run."""

_MINUTES = 40
"""The longest an update may take: the first one builds every image, on two cores."""


class PulumiError(AssertionError):
    """`pulumi` ended with an error; the text is all that it printed."""


class Deployment:
    """One stack: its file, its state, its data and its Docker objects, all of its own."""

    def __init__(self, name: str, folder: Path, settings: Mapping[str, Any], **secrets: str) -> None:
        """Write the stack's file; nothing is deployed yet.

        :param settings: the sections of the stack file; `cloud` is this machine unless given.
        """
        self.name = name
        self.folder = folder
        self.data = folder / "data"
        self.file = folder / f"Pulumi.{name}.yaml"
        self.http_port, self.https_port = free_ports(2)
        self.secrets = secrets
        self.engine: str | None = None
        """Docker's address, if it is not the usual one."""
        self._initialised = False
        (folder / "state").mkdir(parents=True, exist_ok=True)
        self.settings: dict[str, Any] = {}
        self.set(settings)

    @property
    def url(self) -> str:
        """Where a browser finds the hub."""
        return f"https://localhost:{self.https_port}"

    @property
    def addresses(self) -> Addresses:
        """The addresses of its containers' network."""
        return addresses(None, self.name)

    @property
    def authority(self) -> Path:
        """The certificate of the hub's own authority."""
        return self.data / "cyberhub/proxy/caddy/pki/authorities/local/root.crt"

    def access(self, hub: str = "hub") -> Path:
        """The folder of a hub's wlist and blist."""
        return self.data / "cyberhub" / hub / "access"

    def set(self, settings: Mapping[str, Any]) -> None:
        """Change sections of the stack file; the next `up` deploys them."""
        self.settings |= settings
        cloud = {
            "kind": "local",
            "dataDir": str(self.data),
            "httpPort": self.http_port,
            "httpsPort": self.https_port,
        }
        sections = {"cloud": cloud, **self.settings}
        kept = {}
        if self.file.exists():
            document = yaml.safe_load(self.file.read_text())
            hidden = {
                key: value
                for key, value in document.get("config", {}).items()
                if isinstance(value, dict) and "secure" in value
            }
            kept = {"encryptionsalt": document.get("encryptionsalt"), "hidden": hidden}
        config = {f"cyberhubs:{key}": value for key, value in sections.items()} | kept.pop("hidden", {})
        self.file.write_text(yaml.safe_dump({**{k: v for k, v in kept.items() if v}, "config": config}))

    @property
    def bridge(self) -> str:
        """The Linux name of its containers' bridge."""
        return Names(self.name).bridge

    def up(self) -> Mapping[str, int]:
        """Deploy; how many resources were created, updated, replaced, unchanged."""
        self.prepare()
        return counts(self.pulumi("up", "--yes", "--skip-preview"))

    def refreshed_up(self) -> Mapping[str, int]:
        """Deploy after comparing the state with what is there."""
        return counts(self.pulumi("up", "--yes", "--skip-preview", "--refresh"))

    def which(self) -> list[str]:
        """The words that tell `pulumi` which stack is meant."""
        return ["--stack", self.name, "--config-file", str(self.file)]

    def destroy(self) -> Mapping[str, int]:
        """Take it down."""
        return counts(self.pulumi("destroy", "--yes", "--skip-preview"))

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, with its secrets."""
        found: dict[str, Any] = json.loads(
            self.pulumi("stack", "output", "--json", "--show-secrets", config=False)
        )
        return found

    def pulumi(self, *words: str, config: bool = True, typed: str = "") -> str:
        """Run `pulumi WORDS` on this stack; what it printed. Raises PulumiError.

        :param typed: what it reads, as from a file.
        """
        which = self.which() if config else ["--stack", self.name]
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive", *which],
            cwd=ROOT,
            env=self.environment(),
            input=typed,
            capture_output=True,
            text=True,
            timeout=_MINUTES * 60,
            check=False,
        )
        if done.returncode != 0:
            raise PulumiError(f"pulumi {' '.join(words)}:\n{done.stdout}\n{done.stderr}\n{self.trouble()}")
        return done.stdout

    def tool(self, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """What `make COMMAND VARIABLE=...` does on this stack, once the preparations are made."""
        words = [sys.executable, "-m", "tools.stacks", command, self.name]
        environment = self.environment() | variables
        return subprocess.run(
            words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    def environment(self) -> dict[str, str]:
        """The prepared shell, with a state and a passphrase of this stack's own."""
        own = {
            "PULUMI_BACKEND_URL": f"file://{self.folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "only for this test",
            **({"DOCKER_HOST": self.engine} if self.engine else {}),
        }
        return {
            key: value for key, value in os.environ.items() if key != "PULUMI_CONFIG_PASSPHRASE_FILE"
        } | own

    def container(self, role: str) -> str:
        """The name of the one container with this role."""
        (name,) = self.containers(role)
        return name

    def containers(self, role: str | None = None) -> list[str]:
        """Names of its containers, running or not."""
        wanted = [f"{labels.STACK}={self.name}", *([f"{labels.ROLE}={role}"] if role else [])]
        filters = [word for label in wanted for word in ("--filter", f"label={label}")]
        return docker("ps", "--all", *filters, "--format", "{{.Names}}").split()

    def home(self, user: str) -> Path:
        """A user's home, as the machine sees it."""
        return self.data / "jupyterhub_users" / user

    def put_list(self, name: str, text: str, hub: str = "hub") -> None:
        """Write wlist or blist as a careful editor does: at once."""
        beside = self.access(hub) / f"{name}.new"
        beside.write_text(text)
        beside.replace(self.access(hub) / name)

    def trouble(self) -> str:
        """What the containers say, for a failed test."""
        parts = []
        for name in self.containers():
            log = subprocess.run(
                ["docker", "logs", "--tail", "60", name], capture_output=True, text=True, check=False
            )
            parts.append(f"--- {name}\n{log.stdout}{log.stderr}")
        return "\n".join(parts)

    def clean_up(self) -> None:
        """Remove all that is left of it, whatever state it is in."""
        fences = self.containers("fence")
        if others := [name for name in self.containers() if name not in fences]:
            docker("rm", "--force", "--volumes", *others)
        for fence in fences:
            docker("stop", fence)  # killed, it could not take its firewall rules away
            docker("rm", fence)
        for network in docker(
            "network", "ls", "--filter", f"label={labels.STACK}={self.name}", "--format", "{{.Name}}"
        ).split():
            docker("network", "rm", network)
        shutil.rmtree(self.folder, ignore_errors=True)

    def prepare(self) -> None:
        """Make the stack and give it its secrets, once."""
        if self._initialised:
            return
        self.pulumi("stack", "select", "--create", config=False)
        self._take_salt()
        self._initialised = True
        for key, value in self.secrets.items():
            self.pulumi("config", "set", "--secret", "--path", key, typed=value)

    def _take_salt(self) -> None:
        """Take what pulumi wrote for a new stack from the project's folder into our own file."""
        written = ROOT / "stacks" / self.file.name
        if written.exists():
            salt = yaml.safe_load(written.read_text())
            self.file.write_text(yaml.safe_dump(yaml.safe_load(self.file.read_text()) | salt))
            written.unlink()


def counts(printed: str) -> dict[str, int]:
    """The numbers in pulumi's last words: `created`, `deleted`, `replaced`, `updated`, `unchanged`."""
    found = re.findall(
        r"^\s+(?:\+-|[-+~])?\s*(\d+) (\w+)$", printed[printed.rfind("Resources:") :], re.MULTILINE
    )
    return {word: int(number) for number, word in found}


def docker(*words: str) -> str:
    """What `docker WORDS` prints. Raises AssertionError with its complaint."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()
