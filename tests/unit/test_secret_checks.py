"""A secret that is missing or cannot be used is told before anything is made, and never shown."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from hubconfig.options import HubOptions
from infra import checks
from infra.stack.sections import Sections
from tests.unit.test_handed_over import handed
from tests.unit.test_secrets import ARCHIVE, GITHUB
from tests.unit.test_stack_file import read

SHARED = {"auth": {"kind": "sharedPassword"}, "admins": ["ada"]}
KEY = handed("ssh-key", "as-ssh-keygen-writes-it")
LAKE = {**ARCHIVE, "name": "lake", "mount": "/lake"}


def told(given: dict[str, str], hub: dict[str, Any], **sections: Any) -> str:
    """What the writer of a stack file with these secrets is told."""
    with pytest.raises(pulumi.RunError) as caught:
        read({"cloud": {"kind": "local"}, "hub": hub, **sections}, given, [checks.secrets.faults])
    message = str(caught.value)
    for value in given.values():
        assert len(value) < 4 or value not in message, "a secret is in the message"
    return message


@pytest.mark.parametrize(
    ("given", "hub", "words"),
    [
        ({"sharedPassword": "hunter2"}, SHARED, "sharedPassword: has 7 characters; it must have at least 8"),
        ({"sharedPassword": "  hunter2  "}, SHARED, "sharedPassword: has 7 characters"),
        ({"sharedPassword": "pässwörter"}, SHARED, "sharedPassword: has letters beyond ASCII"),
        ({"sharedPassword": ""}, SHARED, "sharedPassword: has 0 characters"),
        ({"adminPassword": "x" * 31}, SHARED, "adminPassword: has 31 characters; it must have at least 32"),
        (
            {"adminPassword": "y" * 32, "sharedPassword": "y" * 32},
            SHARED,
            "adminPassword: is the same as sharedPassword; give admins their own",
        ),
        ({"metricsToken": "seven77"}, {**SHARED, "metrics": True}, "metricsToken: has 7 characters"),
        ({"oauthClientId": "id", "oauthClientSecret": "\n"}, GITHUB, "oauthClientSecret: is empty; set it"),
    ],
)
def test_what_the_hub_would_refuse_is_told_first(
    given: dict[str, str], hub: dict[str, Any], words: str
) -> None:
    message = told(given, hub)
    assert f"cyberhubs:{words}" in message
    assert "1 wrong setting;" in message


@pytest.mark.parametrize(
    ("password", "warned"),
    [("x" * 15, True), ("eight888", True), ("x" * 16, False), ("  " + "x" * 15 + "  ", True), (None, False)],
)
def test_a_short_shared_password_is_told_and_goes_on(password: str | None, warned: bool) -> None:
    given = {} if password is None else {"sharedPassword": password}
    hub = HubOptions.model_validate(SHARED)
    found = [*checks.secrets.faults(Sections(stack="s", hub=hub, secrets=given))]
    assert [(fault.key, fault.stops) for fault in found] == ([("sharedPassword", False)] if warned else [])
    assert all(password not in fault.rule for fault in found if password)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"backupPassword": " "}, "backupPassword: is empty"),
        ({"backupCredentials": "the password alone"}, "backupCredentials: line 1 is not NAME=value"),
        ({"backupCredentials": "A=b\nand so on"}, "backupCredentials: line 2 is not NAME=value"),
    ],
)
def test_what_restic_could_not_use_is_told_first(given: dict[str, str], words: str) -> None:
    assert words in told(given, {"auth": {"kind": "sharedPassword"}}, backup={"repository": "/elsewhere"})


@pytest.mark.parametrize("kind", ["sharedPassword", "github"])
def test_secrets_that_nobody_reads_are_nobodys_fault(kind: str) -> None:
    given = {"oauthClientId": "i", "oauthClientSecret": "s"} if kind == "github" else {"oauthClientId": ""}
    hub = {"auth": {"kind": kind}}
    unused = {"adminPassword": "short", "backupPassword": "", "metricsToken": "x", "spaceKeys": "one text"}
    read({"cloud": {"kind": "local"}, "hub": hub}, {**unused, **given}, [checks.secrets.faults])


def test_every_space_needs_its_own_secret() -> None:
    hub = {"auth": {"kind": "sharedPassword"}, "spaces": [ARCHIVE, LAKE]}
    message = told({"spaceKeys": json.dumps({"archive": KEY, "laek": KEY})}, hub)
    assert (
        "spaceKeys: the space lake needs one; run: pulumi config set --secret --path spaceKeys.lake"
        in message
    )
    assert "archive" not in message
    assert "the space archive needs one" in told({"spaceKeys": json.dumps({"archive": "", "lake": KEY})}, hub)


@pytest.mark.parametrize("text", ["-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "12345678", '["KEYKEY"]'])
def test_one_key_for_all_spaces_is_refused_and_not_shown(text: str) -> None:
    hub = {"auth": {"kind": "sharedPassword"}, "spaces": [ARCHIVE]}
    message = told({"spaceKeys": text}, hub)
    assert "spaceKeys: is one text; give each space its own: pulumi config rm spaceKeys, then" in message
    assert "1 wrong setting;" in message


def test_sections_do_not_show_secrets() -> None:
    assert "HUNTER" not in repr(Sections(stack="s", secrets={"sharedPassword": "HUNTER2"}))
