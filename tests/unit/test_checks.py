"""Every check is asked, in one way, and a fault in one section hides nothing in another."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pulumi
import pytest

from hubconfig.auth_options import GitHubAuth, SharedPasswordAuth
from hubconfig.options import HubOptions
from infra import checks
from infra.machine.capacity import Capacity
from infra.machine.filesystem import Filesystem
from infra.stack import stack_file
from infra.stack.clouds import LocalCloud, OpenStackCloud, ServerCloud
from infra.stack.faults import Fault
from infra.stack.sections import Check, Sections
from infra.stack.settings import Settings

FILES = sorted(file.stem for file in Path(checks.__file__).parent.glob("*.py") if file.stem != "__init__")

SERVER = ServerCloud(
    kind="server", address="a", ssh_key_file="~/k", host_key="ssh-ed25519 AAAA", data_dir="/srv/hub"
)


@pytest.mark.parametrize("name", FILES)
def test_every_check_is_asked(name: str) -> None:
    check = importlib.import_module(f"infra.checks.{name}").faults
    assert check in {*checks.OF_SETTINGS, *checks.OF_MACHINE}
    assert list(inspect.signature(check).parameters) == ["sections"]


@pytest.mark.parametrize(
    "check",
    # not a set: xdist wants the same order in each process
    [*dict.fromkeys((*checks.OF_SETTINGS, *checks.OF_MACHINE))],
    ids=lambda one: one.__module__,
)
def test_a_file_of_which_nothing_could_be_read_has_no_other_faults(check: Check) -> None:
    assert list(check(Sections(stack="s"))) == []


def test_a_warning_stops_nothing_and_a_fault_does(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", heard.append)
    monkeypatch.setattr(pulumi, "get_stack", lambda: "s")
    monkeypatch.setattr(pulumi, "get_project", lambda: "cyberhubs")
    soon, wrong = Fault("web.tls", "ends soon", stops=False), Fault("hub", "is wrong")
    stack_file.refuse(Sections(stack="s"), [lambda _: [soon]])
    assert heard == ["web.tls: ends soon"]
    with pytest.raises(pulumi.RunError, match=r"1 wrong setting; [^:]*\n  cyberhubs:hub: is wrong$"):
        stack_file.refuse(Sections(stack="s"), [lambda _: [soon, wrong]])


def test_hubs_are_named_by_their_place_in_the_file() -> None:
    both = Sections(stack="s", hub=HubOptions(), hubs={"astro": HubOptions(title="Astro")})
    assert {where: options.title for where, options in both.every_hub().items()} == {
        "hub": "Cyberhub",
        "hubs.astro": "Astro",
    }
    assert list(Sections(stack="s", hubs={"astro": HubOptions()}).every_hub()) == ["hubs.astro"]


@pytest.mark.parametrize(
    ("cloud", "path"),
    [
        (LocalCloud(kind="local", data_dir="/d"), "/d"),
        (OpenStackCloud(kind="openstack"), "/mnt"),
        (SERVER, "/srv/hub"),
    ],
)
def test_the_data_folder_is_where_the_machine_has_it(
    cloud: LocalCloud | OpenStackCloud | ServerCloud, path: str
) -> None:
    folder = Sections(stack="s", cloud=cloud).data_folder
    assert folder is not None
    assert str(folder.root) == path


def test_a_local_stack_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert LocalCloud(kind="local").data_path("astro") == "/home/ada/cyberhubs-data/astro"


def test_limits_are_held_against_a_machine_only_when_there_is_one() -> None:
    hub = HubOptions.model_validate({"limits": {"memoryMb": 4096, "homeGb": 1}})
    settings = Settings(cloud=SERVER, hub=hub)
    small = Capacity(1024, 1, Filesystem("xfs", frozenset({"prjquota"})))

    def told(sections: Sections) -> list[str]:
        return [fault.key for check in checks.OF_MACHINE for fault in check(sections)]

    assert told(Sections(stack="s", cloud=SERVER, hub=hub)) == []
    assert told(Sections.of(settings, "s", small)) == ["hub.limits.memoryMb", "hub.limits.homeGb"]
    assert told(Sections.of(settings, "s", Capacity(8192, 4))) == []


def test_a_disk_that_cannot_limit_homes_is_told_by_its_place() -> None:
    hub = HubOptions.model_validate({"limits": {"homeGb": 1}})
    xfs = Capacity(8192, 4, Filesystem("xfs", frozenset()))
    sections = Sections.of(Settings(cloud=SERVER, hubs={"lab": hub}), "s", xfs)
    (fault,) = [fault for check in checks.OF_MACHINE for fault in check(sections)]
    assert fault.key == "hubs.lab.limits.homeGb"
    assert "the filesystem of /srv/hub (xfs) does not have" in fault.rule


def test_secrets_are_asked_for_once_however_many_hubs_read_them() -> None:
    github = HubOptions(auth=GitHubAuth(kind="github"))
    shared = HubOptions(auth=SharedPasswordAuth(kind="sharedPassword"))
    sections = Sections(stack="s", hub=github, hubs={"a": github, "b": shared})
    assert [fault.key for fault in checks.secrets.faults(sections)] == ["oauthClientId", "oauthClientSecret"]
    given = Sections(stack="s", hub=github, secrets={"oauthClientId": "i", "oauthClientSecret": "s"})
    assert checks.secrets.faults(given) == []
