"""An operator with an empty home, machines that are ready at once, and Amazon's cloud."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from infra.host import Ssh
from infra.machine import readiness
from tests.unit.clouds.ec2 import Account, account, amazon


def _ready_at_once(ssh: Ssh, address: pulumi.Input[str], **_: object) -> pulumi.Output[str]:
    return pulumi.Output.from_input(address).apply(ssh.url)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's home folder; no machine is waited for, as none boots here."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(readiness, "wait", _ready_at_once)
    for name in ("OS_CLOUD", "OS_AUTH_TYPE", "OS_APPLICATION_CREDENTIAL_ID", "OS_CLIENT_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OS_AUTH_URL", "https://identity.example.org/v3")
    return tmp_path


@pytest.fixture(scope="module")
def in_amazon() -> Iterator[None]:
    """Whoever asks Amazon asks moto."""
    with amazon():
        yield


@pytest.fixture
def cloud(in_amazon: None) -> Account:
    """An account that nobody has used."""
    return account()
