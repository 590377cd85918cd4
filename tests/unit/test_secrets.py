"""Secrets are given, kept or made once for a stack, and have one table."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from infra.handed_over.ssh_key import ssh_key
from infra.images.contexts import ROOT
from infra.stack import secrets
from infra.stack.secrets import TABLE, Secrets, gather
from infra.stack.settings import Settings
from tests.unit import engine
from tests.unit.test_handed_over import handed

SHARED = {"auth": {"kind": "sharedPassword"}}
GITHUB = {"auth": {"kind": "github"}}
ARCHIVE = {
    "kind": "sshfs",
    "name": "archive",
    "remote": "me@archive.example.org:/data",
    "hostKey": "ssh-ed25519 AAAA",
    "mount": "/archive",
}
GIVEN = "G" * 32
KEY = ssh_key(handed("ssh-key", "as-ssh-keygen-writes-it"))
CLIENT = {"oauthClientId": "id", "oauthClientSecret": "SECRET"}


def gathered(
    sections: Mapping[str, Any], given: Mapping[str, str] | None = None, last: Mapping[str, Any] | None = None
) -> Secrets:
    """The secrets of a stack with these settings."""
    settings = Settings.model_validate({"cloud": {"kind": "local"}, **sections})
    found: list[Secrets] = []

    def program() -> None:
        found.append(gather(pulumi.Config(), settings, last or {}))

    engine.run(program, secrets=given)
    return found[0]


def opened(values: Mapping[str, pulumi.Output[Any]]) -> dict[str, Any]:
    """The values, each of which must be secret."""
    loop = asyncio.get_event_loop()
    assert all(loop.run_until_complete(value.is_secret()) for value in values.values())
    return {name: loop.run_until_complete(value.future()) for name, value in values.items()}


def test_two_hubs_with_a_made_password_have_the_same_from_the_first_update_on() -> None:
    """The outputs keep one of them: a second update would else give the other hub a new password."""
    got = gathered({"hub": SHARED, "hubs": {"astro": SHARED}})
    first, second = (opened(got.hubs[hub])["shared_password"] for hub in ("hub", "astro"))
    assert first == second == opened(got.made)["sharedPassword"]
    assert len(first) == 32


def test_what_was_made_stays_and_what_is_given_wins() -> None:
    last = {"sharedPassword": "KEPT", "adminPassword": "K" * 32, "metricsToken": "T"}
    hub = {**SHARED, "admins": ["ada"], "metrics": True}
    got = gathered({"hub": hub}, {"adminPassword": f"{GIVEN}\r\n"}, last)
    assert opened(got.hubs["hub"]) == {
        "shared_password": "KEPT",
        "admin_password": GIVEN,
        "metrics_token": "T",
    }
    assert set(got.made) == {"sharedPassword", "adminPassword", "metricsToken"}


def test_a_hub_gets_what_it_reads_and_nothing_else() -> None:
    got = gathered({"hub": GITHUB, "hubs": {"lab": SHARED}, "backup": {"repository": "/b"}}, CLIENT)
    assert opened(got.hubs["hub"]) == {"oauth_client_id": "id", "oauth_client_secret": "SECRET"}
    assert set(got.hubs["lab"]) == {"shared_password"}
    assert set(got.backup) == {"backup_password"}


def test_a_backups_credentials_are_there_when_they_are_given() -> None:
    remote = {"hub": SHARED, "backup": {"repository": "s3:https://h/b"}}
    got = gathered(remote, {"backupCredentials": "A=b"})
    assert opened(got.backup)["backup_credentials"] == "A=b\n"
    assert "backupCredentials" not in got.made, "an output tells what nobody chose"
    assert gathered({"hub": SHARED}, {"backupCredentials": "A=b"}).backup == {}


def test_keys_of_spaces_are_asked_for_only_where_there_is_such_a_space() -> None:
    keys = json.dumps({"archive": KEY, "other": "x"})
    got = gathered({"hub": {**SHARED, "spaces": [ARCHIVE]}}, {"spaceKeys": keys})
    assert opened({"keys": got.space_keys})["keys"] == {"archive": KEY}
    assert gathered({"hub": SHARED}).made


def test_what_only_a_person_can_give_is_never_made() -> None:
    with pytest.raises(pulumi.ConfigMissingError, match="oauthClientId"):
        gathered({"hub": GITHUB})


def test_the_table_has_every_secret_once() -> None:
    constants = [one for one in vars(secrets).values() if isinstance(one, secrets.Secret)]
    assert sorted(TABLE, key=lambda one: one.key) == sorted(constants, key=lambda one: one.key)
    assert len({one.key for one in TABLE}) == len(TABLE)
    files = [one.file for one in TABLE if one.file]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize("file", [one.file for one in TABLE if one.file])
def test_every_file_that_is_put_into_a_container_is_read_there(file: str) -> None:
    code = (ROOT / "hubconfig").rglob("*.py")
    assert any(re.search(rf"[\"/]{file}\"", text.read_text()) for text in code)
