"""The user data of a new machine."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from infra.clouds.aws import facts as ec2
from infra.clouds.openstack import facts as openstack
from infra.machine.cloud_init import UserDataTooLargeError, user_data
from infra.machine.first_boot import FirstBoot, host_files
from infra.machine.keys import HostKey

FIRST_BOOT = FirstBoot(
    user="ec2-user", data_dir="/mnt", data_disk=("/dev/disk/by-id/*vol0123456789abcdef0*",), ours_alone=True
)
PRIVATE = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    + "\n".join(["x" * 70] * 5)
    + "\n-----END OPENSSH PRIVATE KEY-----\n"
)
HOST_KEY = HostKey(private=PRIVATE, public="ssh-ed25519 AAAAC3hostkey")
OPERATOR = "ssh-ed25519 AAAAC3operator"


def rendered(limit_bytes: int = ec2.USER_DATA_BYTES) -> str:
    return user_data(
        first_boot=FIRST_BOOT, operator_public_key=OPERATOR, host_key=HOST_KEY, limit_bytes=limit_bytes
    )


def config() -> dict[str, Any]:
    first_line, _, rest = rendered().partition("\n")
    assert first_line == "#cloud-config"
    parsed: dict[str, Any] = json.loads(rest)
    return parsed


def test_the_machine_shows_the_host_key_we_made_and_no_other() -> None:
    assert config()["ssh_keys"]["ed25519_private"] == PRIVATE
    assert config()["ssh_keys"]["ed25519_public"].strip() == HOST_KEY.public
    assert config()["ssh_deletekeys"] is True


def test_only_the_operators_key_opens_it() -> None:
    assert config()["ssh_authorized_keys"] == [OPERATOR]
    assert config()["ssh_pwauth"] is False


def test_every_file_arrives_as_it_is() -> None:
    entries = {entry["path"]: entry for entry in config()["write_files"]}
    for file in host_files(FIRST_BOOT):
        entry = entries.pop(file.path)
        assert gzip.decompress(base64.b64decode(entry["content"])).decode() == file.text
        assert int(entry["permissions"], 8) == file.mode
    assert entries == {}


def test_the_same_settings_give_the_same_user_data() -> None:
    assert rendered() == rendered()


def test_a_scratch_disk_is_not_mounted_where_the_data_belong() -> None:
    # An entry without a place takes away the place that cloud-init would choose: /mnt.
    assert ["ephemeral0"] in config()["mounts"]


def test_user_data_fit_ec2_with_room_to_spare() -> None:
    assert len(rendered().encode()) < 0.95 * ec2.USER_DATA_BYTES


def test_openstack_counts_the_encoded_form() -> None:
    assert len(base64.b64encode(b"x" * openstack.USER_DATA_BYTES)) <= 65535
    assert rendered(openstack.USER_DATA_BYTES) == rendered()


def test_what_does_not_fit_is_never_sent() -> None:
    with pytest.raises(UserDataTooLargeError, match=r"are \d+ bytes, and the cloud takes 4096"):
        rendered(limit_bytes=4096)
