"""What the hub may rely on, whatever the cloud."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pulumi
import pytest

from infra.clouds import server
from infra.clouds.choice import Choice
from infra.engine import Engine
from infra.machine import keys
from infra.machine.capacity import Capacity
from infra.program import main
from infra.stack.clouds import Cloud, MachineCloud
from tests.unit import engine
from tests.unit.clouds import arbutus
from tests.unit.clouds.deploying import Deployed, choose, deploy
from tests.unit.clouds.ec2 import account
from tests.unit.test_handed_over import handed

pytestmark = pytest.mark.usefixtures("in_amazon")

Json = dict[str, Any]
Up = Callable[..., Deployed]


def _openstack() -> tuple[Json, Json]:
    return arbutus.SETTINGS, {"made": arbutus.MADE, "lookups": arbutus.LOOKUPS}


def _aws() -> tuple[Json, Json]:
    made = {"aws:ec2/eip:Eip": {"publicIp": "3.96.0.1", "allocationId": "an-address"}}
    return {"kind": "aws"}, {"made": made, "lookups": account().lookups()}


def _local() -> tuple[Json, Json]:
    return {"kind": "local"}, {}


def _server() -> tuple[Json, Json]:
    return {
        "kind": "server",
        "address": "hub.example.org",
        "sshKeyFile": keys.operator_key(None, "server", in_use=False).file,
        "hostKey": handed("host-key", "alone"),
    }, {}


CLOUDS = {"openstack": _openstack, "aws": _aws, "local": _local, "server": _server}
"""Cloud to the least settings for it, and to what the engine knows of it."""

MODELS = {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(Cloud)}

MADE_HERE = [kind for kind, model in MODELS.items() if issubclass(model, MachineCloud)]


@pytest.fixture(autouse=True)
def _machines_that_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "info", lambda _: {"MemTotal": 8 * 1024**3, "NCPU": 4})
    monkeypatch.setattr(Engine, "run", lambda *_, **__: "unix:///var/run/docker.sock")
    monkeypatch.setattr(server, "_facts", lambda *_: ("an-installation", Capacity(4096, 2)))
    monkeypatch.delenv("DOCKER_HOST", raising=False)


@pytest.fixture(params=list(CLOUDS))
def cloud(request: pytest.FixtureRequest) -> tuple[Json, Json]:
    return CLOUDS[request.param]()


@pytest.fixture
def up(cloud: tuple[Json, Json]) -> Up:
    settings, known = cloud
    return partial(deploy, settings, **known)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The types of all that is made, other than in Pulumi's own books."""
    types: list[str] = []
    make = engine._Answers.new_resource

    def noted(self: Any, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, Json]:
        if not args.typ.startswith(("pulumi:providers:", "cyberhubs:")):
            types.append(args.typ)
        return make(self, args)

    monkeypatch.setattr(engine._Answers, "new_resource", noted)
    return types


def test_every_cloud_is_held_to_the_contract() -> None:
    assert set(MODELS) == set(CLOUDS)


def test_the_hub_gets_what_the_contract_says(up: Up) -> None:
    got = up()
    host = got.host
    assert got.known["address"]
    assert Path(host.data_dir).is_absolute()
    assert host.memory_mb >= 512
    assert host.cpus >= 1
    assert 0 < host.http_port < host.https_port < 65536
    assert (got.capacity.memory_mb, got.capacity.cpus) == (host.memory_mb, host.cpus)
    if host.ssh is None:
        assert not got.known["docker_host"].startswith("ssh:")
        assert host.machine is None
    else:
        assert got.known["docker_host"] == host.ssh.url(got.known["address"])
        assert Path(host.ssh.key_file).is_file()
        assert host.ssh.host_key.startswith("ssh-ed25519 ")
        assert " " not in host.ssh.host_key.removeprefix("ssh-ed25519 ")


def test_data_are_where_the_checks_look_for_them(cloud: tuple[Json, Json], up: Up) -> None:
    model = MODELS[cloud[0]["kind"]].model_validate(cloud[0])
    assert up(stack="astro").host.data_dir == model.data_path("astro")


def test_nothing_is_made_before_all_that_is_known_was_checked(
    cloud: tuple[Json, Json], made: list[str]
) -> None:
    settings, known = cloud
    chosen: list[Choice] = []

    def program() -> None:
        chosen.append(choose(settings))

    engine.run(program, **known)
    assert chosen[0].capacity.memory_mb
    assert made == []


def test_a_machine_that_is_too_small_is_refused_before_anything_is_made(
    cloud: tuple[Json, Json], made: list[str]
) -> None:
    settings, known = cloud
    hub = {"auth": {"kind": "sharedPassword"}, "limits": {"memoryMb": 4_000_000, "cpus": 500}}
    with pytest.raises(pulumi.RunError, match=r"hub\.limits\.memoryMb: 4000000 MB is more than the") as said:
        engine.run(main, {"cloud": settings, "hub": hub}, **known)
    assert "hub.limits.cpus: 500 CPUs are more than the machine's" in str(said.value)
    assert made == []


def test_a_second_look_at_a_preview_asks_for_the_same(up: Up) -> None:
    first, second = (
        sorted((one.urn, one.inputs) for one in up(preview=preview).run.asked) for preview in (True, False)
    )
    assert first == second


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


# What holds for machines that are made here


@pytest.mark.parametrize("kind", MADE_HERE)
def test_only_ssh_and_the_web_can_be_reached(kind: str) -> None:
    settings, known = CLOUDS[kind]()
    opened = {
        value
        for one in deploy(settings, **known).run.asked
        for key, value in one.inputs.items()
        if "port" in key.lower() and isinstance(value, int)
    }
    assert opened == {22, 80, 443}


@pytest.mark.parametrize("kind", MADE_HERE)
def test_the_data_volume_outlives_machine_and_stack(kind: str) -> None:
    settings, known = CLOUDS[kind]()
    (volume,) = [one for one in deploy(settings, **known).run.asked if one.name == "hub-data"]
    assert volume.options.retainOnDelete
    assert not volume.options.deletedWith
    assert not volume.options.replaceOnChanges


@pytest.mark.parametrize("kind", MADE_HERE)
def test_the_machine_is_born_with_the_key_by_which_it_is_known(kind: str) -> None:
    settings, known = CLOUDS[kind]()
    got = deploy(settings, **known)
    (machine,) = [one for one in got.run.asked if one.name == "hub-machine"]
    assert got.host.ssh is not None
    assert f'"ed25519_public":"{got.host.ssh.host_key}' in machine.inputs["userData"]
    assert "userData" in machine.options.additionalSecretOutputs
    assert {"userData"} <= set(machine.options.ignoreChanges), "a new line of ours replaces no machine"


@pytest.mark.parametrize("kind", MADE_HERE)
def test_two_stacks_have_keys_of_their_own(kind: str) -> None:
    settings, known = CLOUDS[kind]()
    first, second = (deploy(settings, stack=stack, **known).host.ssh for stack in ("astro", "course"))
    assert first is not None
    assert second is not None
    assert first.key_file.endswith("cyberhubs-astro")
    assert second.key_file.endswith("cyberhubs-course")
    assert first.host_key != second.host_key


@pytest.mark.parametrize("kind", MADE_HERE)
def test_a_machine_whose_keys_are_elsewhere_is_left_alone(kind: str, home: Path, made: list[str]) -> None:
    """New keys would not be the machine's: nobody could reach it any more, or know that it is the one."""
    settings, known = CLOUDS[kind]()
    machine = deploy(settings, **known).host.machine
    assert machine is not None
    shutil.rmtree(home / ".ssh")
    made.clear()
    in_state = {f"{machine.pulumi_resource_type}::hub-machine": {"id": "m1"}}
    with pytest.raises(pulumi.RunError, match="is missing on this computer, and the stack's machine runs"):
        deploy(settings, in_state=in_state, **known)
    assert made == []
    assert list((home / ".ssh").iterdir()) == []


@pytest.mark.parametrize("kind", MADE_HERE)
def test_a_volume_that_would_have_to_shrink_is_told_with_all_that_is_wrong(kind: str) -> None:
    settings, known = CLOUDS[kind]()
    got = deploy(settings, **known).run
    (volume,) = [one for one in got.asked if one.type.lower().endswith("volume:volume")]
    in_state = {f"{volume.type}::hub-data": {"id": "v1", "availabilityZone": "ca-central-1a", "size": 500}}
    wrong = {**settings, "dataGb": 499, "keyPair": "lost", "sshKeyFile": "~/.ssh/cyberhubs-test"}
    lookups = {**known["lookups"], "openstack:compute/getKeypair:getKeypair": arbutus.nothing}
    with pytest.raises(pulumi.RunError) as caught:
        deploy(wrong, in_state=in_state, made=known["made"], lookups=lookups)
    assert "cloud.dataGb: the data volume has 500 GB and volumes never shrink" in str(caught.value)
    assert "cloud.keyPair: " in str(caught.value)
