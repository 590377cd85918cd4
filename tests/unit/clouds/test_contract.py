"""What the hub may rely on, whatever the cloud."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pulumi
import pytest

from infra.clouds import server
from infra.engine import Engine
from infra.machine import keys
from infra.stack.clouds import Cloud
from tests.unit import engine
from tests.unit.clouds import arbutus
from tests.unit.clouds.deploying import Deployed, deploy
from tests.unit.clouds.ec2 import account

pytestmark = pytest.mark.usefixtures("in_amazon")

Up = Callable[..., Deployed]


def _openstack(**more: Any) -> Deployed:
    return deploy(arbutus.SETTINGS, made=arbutus.MADE, lookups=arbutus.LOOKUPS, **more)


def _aws(**more: Any) -> Deployed:
    cloud = account()
    return deploy({"kind": "aws"}, made=cloud.make, lookups=cloud.lookups(), **more)


def _local(**more: Any) -> Deployed:
    return deploy({"kind": "local"}, **more)


def _server(**more: Any) -> Deployed:
    settings = {
        "kind": "server",
        "address": "hub.example.org",
        "sshKeyFile": keys.operator_key(None, "server").file,
        "hostKey": "ssh-ed25519 AAAA",
    }
    return deploy(settings, **more)


CLOUDS: dict[str, Up] = {"openstack": _openstack, "aws": _aws, "local": _local, "server": _server}


@pytest.fixture(autouse=True)
def _machines_that_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "info", lambda _: {"MemTotal": 8 * 1024**3, "NCPU": 4})
    monkeypatch.setattr(Engine, "run", lambda *_, **__: "unix:///var/run/docker.sock")
    monkeypatch.setattr(server, "_facts", lambda *_: ("an-installation", 4096, 2, None))
    monkeypatch.delenv("DOCKER_HOST", raising=False)


@pytest.fixture(params=list(CLOUDS))
def up(request: pytest.FixtureRequest) -> Up:
    return CLOUDS[request.param]


def test_every_cloud_is_held_to_the_contract() -> None:
    kinds = {get_args(model.model_fields["kind"].annotation)[0] for model in get_args(Cloud)}
    assert kinds == set(CLOUDS)


def test_the_hub_gets_what_the_contract_says(up: Up) -> None:
    got = up()
    host = got.host
    assert got.known["address"]
    assert Path(host.data_dir).is_absolute()
    assert host.memory_mb >= 512
    assert host.cpus >= 1
    assert 0 < host.http_port < host.https_port < 65536
    assert got.checked == [(host.memory_mb, host.cpus)]
    if host.ssh is None:
        assert not got.known["docker_host"].startswith("ssh:")
        assert host.machine is None
    else:
        assert got.known["docker_host"] == host.ssh.url(got.known["address"])
        assert Path(host.ssh.key_file).is_file()
        assert host.ssh.host_key.startswith("ssh-ed25519 ")
        assert " " not in host.ssh.host_key.removeprefix("ssh-ed25519 ")


def test_a_machine_that_is_too_small_is_refused_before_anything_is_made(
    up: Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(_: object, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        made.append(args.typ)
        return args.name, args.inputs

    monkeypatch.setattr(engine._Answers, "new_resource", make)
    with pytest.raises(pulumi.RunError, match="too small"):
        up(too_small="too small")
    assert [kind for kind in made if not kind.startswith(("pulumi:providers:", "cyberhubs:"))] == []


def test_a_second_look_at_a_preview_asks_for_the_same(up: Up) -> None:
    first, second = (
        [(one.urn, one.inputs) for one in up(preview=preview).run.asked] for preview in (True, False)
    )
    assert sorted(urn for urn, _ in first) == sorted(urn for urn, _ in second)


def test_all_that_is_made_is_one_component_of_the_stack(up: Up) -> None:
    for one in up().run.asked:
        if one.type.startswith("cyberhubs:"):
            assert one.name == "hub"
        else:
            assert one.options.parent.endswith("::hub"), one.name


def test_what_is_made_is_made_through_the_stacks_own_plugin(up: Up) -> None:
    for one in up().run.asked:
        if not one.type.startswith(("cyberhubs:", "pulumi:")):
            assert f"::hub-{one.type.split(':')[0]}::" in one.options.provider, one.name


def test_two_stacks_have_keys_of_their_own(up: Up) -> None:
    first, second = up(stack="astro").host.ssh, up(stack="course").host.ssh
    if first is not None and second is not None and first.key_file.endswith("astro"):
        assert second.key_file.endswith("course")
        assert first.host_key != second.host_key
