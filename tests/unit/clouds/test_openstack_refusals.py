"""What is refused before anything is made on OpenStack, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.machine import readiness
from tests.unit.clouds import arbutus
from tests.unit.clouds.arbutus import (
    GET_VOLUME,
    INSTANCE,
    LOOKUPS,
    MADE,
    PORT,
    SETTINGS,
    VOLUME,
    refusal,
    up,
)
from tests.unit.clouds.deploying import deploy
from tests.unit.engine import Answer


@pytest.mark.parametrize(
    ("settings", "lookups", "state", "words"),
    [
        (
            {"flavor": "c4-16gb"},
            {},
            {},
            "cyberhubs:cloud.flavor: the project has no flavor c4-16gb",
        ),
        ({"image": "AlmaLinux-11"}, {}, {}, "cyberhubs:cloud.image: the project has no image AlmaLinux-11"),
        (
            {"network": "other"},
            {"openstack:networking/getNetwork:getNetwork": arbutus.nothing},
            {},
            "cyberhubs:cloud.network: the project has no network other",
        ),
        (
            {},
            {"openstack:networking/getNetwork:getNetwork": arbutus.several},
            {},
            "cyberhubs:cloud.externalNetwork: there are several external networks; set the one to",
        ),
        ({"image": "CentOS-7-x64"}, {}, {}, "cyberhubs:cloud.image: CentOS-7-x64 is too old; use AlmaLinux"),
        ({"image": "Fedora-41"}, {}, {}, "cyberhubs:cloud.image: Fedora-41 is not supported; use AlmaLinux"),
        ({"image": "Own-Image"}, {}, {}, "cyberhubs:cloud.sshUser: the user of the image Own-Image is not"),
        (
            {"floatingIp": "134.87.8.99"},
            {"openstack:networking/getFloatingIp:getFloatingIp": arbutus.nothing},
            {},
            "cyberhubs:cloud.floatingIp: the project has no address 134.87.8.99",
        ),
        (
            {"floatingIp": "134.87.8.99"},
            {"openstack:networking/getFloatingIp:getFloatingIp": {"portId": "of another"}},
            {},
            "cyberhubs:cloud.floatingIp: 134.87.8.99 leads to another machine",
        ),
        (
            {"dnsZone": "example.org"},
            {"openstack:dns/getDnsZone:getDnsZone": {"id": "zone"}},
            {},
            "cyberhubs:cloud.dnsZone: the record is for web.hostname; set that too",
        ),
        (
            {},
            {GET_VOLUME: arbutus.several},
            {},
            "cyberhubs:cloud.dataVolumeId: there are several volumes cyberhub-test-data; set the id",
        ),
        (
            {},
            {GET_VOLUME: {"id": "1b1e", "status": "in-use", "size": 180}},
            {},
            "cyberhubs:cloud.dataVolumeId: the volume cyberhub-test-data (1b1e) of an earlier deployment is",
        ),
        (
            {},
            {GET_VOLUME: {"id": "1b1e", "status": "available", "size": 500}},
            {},
            "cyberhubs:cloud.dataGb: the data volume has 500 GB and volumes never shrink; set at least that",
        ),
        (
            {"dataGb": 100},
            {},
            {f"{VOLUME}::hub-data": {"id": "1b1e", "size": 180}},
            "cyberhubs:cloud.dataGb: the data volume has 180 GB and volumes never shrink; set at least that",
        ),
        (
            {},
            {"openstack:compute/getFlavor:getFlavor": arbutus.refused},
            {},
            "OpenStack refused the credentials: they are mistyped, have expired, were deleted, or belong",
        ),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_before_anything_is_made(
    settings: dict[str, Any], lookups: dict[str, Answer], state: dict[str, Any], words: str
) -> None:
    assert words in refusal(settings, lookups=lookups, in_state=state)


def test_all_that_the_project_has_not_is_told_at_once() -> None:
    message = refusal({"flavor": "x", "image": "Debian-99"})
    assert "2 wrong settings; nothing was created or changed" in message


def test_a_key_file_that_is_not_there_is_named() -> None:
    message = refusal({"sshKeyFile": "~/.ssh/lost", "keyPair": "mine"})
    assert "cloud.sshKeyFile" in message or "lost does not exist" in message


# A stack that has a machine


RUNNING = {
    f"{INSTANCE}::hub-machine": {"id": "m1", "imageId": "old-image"},
    f"{PORT}::hub-port": {"id": "hub-port-id"},
    f"{VOLUME}::hub-data": {"id": "1b1e", "size": 180},
}


@pytest.fixture
def with_keys(home: Path) -> Path:
    """The keys of a stack that has been up."""
    up()
    return home


@pytest.mark.usefixtures("with_keys")
def test_a_machine_goes_on_when_its_image_was_retired() -> None:
    lookups = {"openstack:images/getImage:getImage": arbutus.nothing}
    got = up(in_state=RUNNING, lookups=lookups).run
    assert got.only(":Instance").inputs["imageId"] == "old-image"
    assert "has no image AlmaLinux-9 any more" in got.told.of("warning")


@pytest.mark.usefixtures("with_keys")
def test_the_stacks_own_use_of_an_address_is_no_fault() -> None:
    lookups = {"openstack:networking/getFloatingIp:getFloatingIp": {"portId": "hub-port-id"}}
    assert (
        up({"floatingIp": "134.87.8.99"}, in_state=RUNNING, lookups=lookups).known["address"] == "134.87.8.99"
    )


@pytest.mark.usefixtures("with_keys")
@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"powerState": ""}, "the stack's machine is gone"),
        (
            {"powerState": "shutoff"},
            "does not run (it is shutoff); start it with `openstack server start m1`",
        ),
    ],
)
def test_a_machine_that_is_gone_or_stopped_is_told_and_not_waited_for(
    status: Answer, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("waited for a machine that does not run")

    monkeypatch.setattr(readiness, "wait", never)
    made = {**MADE, INSTANCE: {"id": "m1"}}
    got = deploy(
        SETTINGS,
        made=lambda args: ("m1" if args.typ == INSTANCE else f"{args.name}-id", made.get(args.typ, {})),
        lookups={**LOOKUPS, "openstack:compute/getInstanceV2:getInstanceV2": status},
        in_state=RUNNING,
    )
    assert words in got.run.told.of("warning")
    assert "make rebuild STACK=test" in got.run.told.of("warning")


# Credentials


def test_credentials_that_are_nowhere_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OS_AUTH_URL")
    message = refusal()
    assert "There are no credentials for OpenStack" in message
    assert "Identity > Application Credentials > Create" in message


def test_a_cloud_that_is_not_in_clouds_yaml_is_named_with_those_that_are(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / "clouds.yaml"
    file.write_text(yaml.safe_dump({"clouds": {"arbutus": {}, "beluga": {}}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))
    assert f"{file} has no cloud 'cedar'; it has: arbutus, beluga" in refusal({"cloud": "cedar"})
    assert up({"cloud": "arbutus"}).run.only("providers:openstack").inputs == {"cloud": "arbutus"}


CLOUDS = "# Universität\nclouds: {arbutus: {auth: {password: x}}}\n"


@pytest.mark.parametrize("name", ["clouds.yaml", "secure.yaml"])
@pytest.mark.parametrize(("written", "form"), [("latin1", "latin1"), ("utf-16-le", "utf-16")])
def test_a_file_that_is_not_utf_8_is_named_with_what_mends_it(
    name: str, written: str, form: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / ".config" / "openstack"
    folder.mkdir(parents=True)
    (folder / "clouds.yaml").write_text(CLOUDS)
    (folder / name).write_bytes(CLOUDS.encode(written))
    monkeypatch.chdir(home)
    message = refusal({"cloud": "arbutus"})
    assert f"{folder / name} is not UTF-8; run: iconv -f {form} -t utf-8" in message


@pytest.mark.parametrize("written", ["utf-8-sig", "utf-16"])
def test_a_file_with_a_mark_of_its_encoding_is_read_as_the_plug_in_reads_it(
    written: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / "clouds.yaml"
    file.write_bytes(CLOUDS.replace("\n", "\r\n").encode(written))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))
    assert "has no cloud 'cedar'; it has: arbutus" in refusal({"cloud": "cedar"})


def test_a_file_for_a_browser_sign_in_is_no_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_AUTH_TYPE", "v3websso")
    assert "signs in with a browser, which no program can do" in refusal()


def test_an_application_credential_with_a_project_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_APPLICATION_CREDENTIAL_ID", "id")
    monkeypatch.setenv("OS_PROJECT_ID", "p")
    monkeypatch.setenv("OS_USER_DOMAIN_NAME", "Default")
    assert "run `unset OS_PROJECT_ID OS_USER_DOMAIN_NAME`" in refusal()
