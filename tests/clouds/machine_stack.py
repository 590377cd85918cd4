"""A stack of one machine, brought up by the real engine and the real plug-in against the pretended cloud."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
import pytest
import yaml
from pulumi import automation

from infra.clouds.context import Context
from infra.clouds.openstack.machine import OpenStackMachine
from infra.host import Ssh
from infra.machine import readiness
from infra.stack.clouds import OpenStackCloud
from tests.clouds.fake_openstack import SECRET, Cloud

PORT: Final = "**::hub-port"
"""What `make rebuild` replaces."""


def write_credentials(file: Path, cloud: Cloud, secret: str = SECRET) -> None:
    """The clouds.yaml that the cloud's own pages offer with an application credential."""
    entry = {
        "auth_type": "v3applicationcredential",
        "auth": {
            "auth_url": f"{cloud.url}/identity",
            "application_credential_id": "an-id",
            "application_credential_secret": secret,
        },
        "region_name": "RegionOne",
        "interface": "public",
        "identity_api_version": 3,
    }
    file.write_text(yaml.safe_dump({"clouds": {"arbutus": entry}}))


def _answers_at_once(_ssh: Ssh, address: str, *, machine_id: str) -> pulumi.Output[str]:
    return pulumi.Output.from_input(f"ssh://{address} on {machine_id}")


class MachineStack:
    """Runs of one stack. Nothing boots, so nothing waits for a machine."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, stack: str = "arbutus") -> None:
        """Keep state below a folder, whose home is the operator's."""
        home = folder / "home"
        (home / ".ssh").mkdir(mode=0o700, parents=True)
        monkeypatch.setenv("HOME", str(home))
        self.credentials = home / "clouds.yaml"
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(self.credentials))
        for name in ("OS_CLOUD", "OS_AUTH_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(readiness, "wait", _answers_at_once)
        state = folder / "state"
        state.mkdir()
        self.home = home
        self.said = ""
        self._settings: dict[str, Any] = {}
        self._stack = automation.create_stack(
            stack_name=stack,
            project_name="cyberhubs",
            program=self._program,
            opts=automation.LocalWorkspaceOptions(
                project_settings=automation.ProjectSettings(name="cyberhubs", runtime="python"),
                work_dir=str(folder),
                env_vars={
                    "PULUMI_BACKEND_URL": f"file://{state}",
                    "PULUMI_CONFIG_PASSPHRASE": "test",
                    "OS_CLIENT_CONFIG_FILE": str(self.credentials),
                },
            ),
        )

    def up(self, settings: Mapping[str, Any] | None = None, **options: Any) -> dict[str, int]:
        """Bring the stack to these settings, and say how many resources were changed how."""
        self._settings = {"kind": "openstack", "cloud": "arbutus", **(settings or {})}
        self.said = ""
        result = self._stack.up(on_output=self._hear, on_error=self._hear, color="never", **options)
        return {str(kind): count for kind, count in (result.summary.resource_changes or {}).items()}

    def forget_what_is_gone(self, pattern: str) -> None:
        """Refresh those resources."""
        self._stack.refresh(on_output=self._hear, target=[pattern], color="never")

    def destroy(self) -> None:
        """Take it down."""
        self.said = ""
        self._stack.destroy(on_output=self._hear, on_error=self._hear, color="never", run_program=True)

    def outputs(self) -> dict[str, Any]:
        """What the last up exported."""
        return {key: output.value for key, output in self._stack.outputs().items()}

    def _hear(self, text: str) -> None:
        self.said += text + "\n"

    def _program(self) -> None:
        cloud = OpenStackCloud.model_validate(self._settings)
        context = Context(
            project="cyberhubs",
            stack=pulumi.get_stack(),
            hostname=None,
        )
        host = OpenStackMachine("hub", cloud, context).build()
        pulumi.export("address", host.address)
        pulumi.export("dockerHost", host.docker_host)
