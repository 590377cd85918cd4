"""Secrets from other programs and systems: taken as they are, or refused with what mends them.

Each row is a file in `handed_over`, with what must come of it in its folder's `expected.yaml`. A secret comes
as Pulumi hands it on: what is not UTF-8 is lost on the way.
"""

from __future__ import annotations

import configparser
import contextlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hubconfig import host_key
from hubconfig.backup.options import credentials
from infra.checks import host_keys, secrets
from infra.handed_over.backup_credentials import backup_credentials
from infra.handed_over.rclone_conf import rclone_conf
from infra.handed_over.ssh_key import ssh_key
from infra.handed_over.text import HandedOverError
from tests.unit.test_rules import told
from tests.unit.test_stack_file import read

ROWS = Path(__file__).parent / "handed_over"


def rows(kind: str, what: str) -> Any:
    return yaml.safe_load((ROWS / kind / "expected.yaml").read_text())[what]


def handed(kind: str, name: str) -> str:
    return (ROWS / kind / name).read_bytes().decode(errors="replace")


def archive(given: str) -> str:
    return rclone_conf(given, "archive:bucket")


READERS: dict[str, Callable[[str], str]] = {
    "ssh-key": ssh_key,
    "rclone": archive,
    "backup-credentials": backup_credentials,
}

REFUSED = [(kind, name) for kind in READERS for name in rows(kind, "refused")]


def test_every_file_has_its_row() -> None:
    for folder in ROWS.iterdir():
        named = {*rows(folder.name, "taken"), *rows(folder.name, "refused"), "expected.yaml"}
        assert {file.name for file in folder.iterdir()} == named


@pytest.mark.parametrize(("kind", "name"), REFUSED)
def test_what_cannot_be_used_is_told_with_the_way_out_and_nothing_of_it(kind: str, name: str) -> None:
    with pytest.raises(HandedOverError) as caught:
        READERS[kind](handed(kind, name))
    assert rows(kind, "refused")[name] in str(caught.value)
    assert not any(word in str(caught.value) for word in handed(kind, name).split() if len(word) > 30)


@pytest.mark.parametrize("name", rows("ssh-key", "taken"))
def test_ssh_takes_the_key_that_is_written_on(name: str, tmp_path: Path) -> None:
    written = ssh_key(handed("ssh-key", name))
    assert public_half(tmp_path, written).startswith(("ssh-", "ecdsa-"))
    assert ssh_key(written) == written, "a second update changes nothing"


def test_the_same_key_is_written_however_it_was_handed_over(tmp_path: Path) -> None:
    given = handed("ssh-key", "as-ssh-keygen-writes-it")
    plain = ssh_key(given)
    assert public_half(tmp_path, plain).split()[:2] == public_half(tmp_path, given).split()[:2]
    for name in ("by-powershell", "on-an-old-mac", "packed-into-base64", "from-json", "indented"):
        assert ssh_key(handed("ssh-key", name)) == plain


def public_half(folder: Path, key: str) -> str:
    """What ssh-keygen makes of a private key; empty where it takes none."""
    file = folder / "key"
    file.unlink(missing_ok=True)
    file.write_text(key)
    file.chmod(0o600)
    words = ["ssh-keygen", "-y", "-P", "", "-f", str(file)]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("name", rows("rclone", "taken"))
def test_a_remote_is_written_as_rclone_would(name: str) -> None:
    written = archive(handed("rclone", name))
    parser = configparser.RawConfigParser(strict=True, delimiters=("=",))
    parser.read_string(written)
    assert parser["archive"]["type"] in {"s3", "onedrive"}
    if parser["archive"]["type"] == "s3":
        assert dict(parser["archive"]) == {
            "type": "s3",
            "provider": "Other",
            "access_key_id": "AK",
            "secret_access_key": "SE+CR/ET=",
            "endpoint": "https://s3.example.org:9000",
        }
    assert archive(written) == written


def test_a_token_stays_as_it_was_written() -> None:
    assert 'token = {"access_token":"a","expiry":"2026-01-01T00:00:00Z"}\n' in archive(
        handed("rclone", "onedrive-with-its-token")
    )


@pytest.mark.parametrize("name", rows("backup-credentials", "taken"))
def test_restic_gets_the_variables_that_were_meant(name: str) -> None:
    written = backup_credentials(handed("backup-credentials", name))
    assert credentials(written) == rows("backup-credentials", "taken")[name]
    assert backup_credentials(written) == written


def server(host_key: str) -> dict[str, Any]:
    return {"kind": "server", "address": "a", "sshKeyFile": "k", "hostKey": host_key}


@pytest.mark.parametrize("name", rows("host-key", "taken"))
def test_a_host_key_is_taken_from_whatever_line_has_it(name: str) -> None:
    plain = handed("host-key", "alone")
    space = {
        "kind": "sshfs",
        "name": "a",
        "remote": "u@h:/",
        "mount": "/a",
        "hostKey": handed("host-key", name),
    }
    hub = {"auth": {"kind": "sharedPassword"}, "spaces": [space]}
    checks = [host_keys.faults, secrets.faults]
    keys = {"spaceKeys": json.dumps({"a": handed("ssh-key", "by-powershell")})}
    found = read({"cloud": server(handed("host-key", name)), "hub": hub}, keys, checks)
    assert found.cloud.model_dump()["host_key"] == plain
    assert found.hub.spaces[0].model_dump()["host_key"] == plain


@pytest.mark.parametrize("name", rows("host-key", "refused"))
def test_what_is_no_host_key_is_told(name: str) -> None:
    hub = {"auth": {"kind": "sharedPassword"}}
    with pytest.raises(pulumi.RunError) as caught:
        read({"cloud": server(handed("host-key", name)), "hub": hub}, checks=[host_keys.faults])
    assert f"cloud.hostKey: {rows('host-key', 'refused')[name]}" in str(caught.value)


def test_an_oauth_secret_is_one_line() -> None:
    given = {"oauthClientId": "\ufeff the id \r\n", "oauthClientSecret": "HUNTER2\nHUNTER3"}
    with pytest.raises(pulumi.RunError) as caught:
        read({"cloud": {"kind": "local"}, "hub": {"auth": {"kind": "github"}}}, given, [secrets.faults])
    assert "oauthClientSecret: has several lines" in str(caught.value)
    assert "oauthClientId" not in str(caught.value)
    assert "HUNTER" not in str(caught.value)


def test_a_space_whose_key_is_none_is_named() -> None:
    space = {"kind": "sshfs", "name": "a", "remote": "u@h:/", "mount": "/a"}
    hub = {"auth": {"kind": "sharedPassword"}, "spaces": [{**space, "hostKey": handed("host-key", "alone")}]}
    with pytest.raises(pulumi.RunError) as caught:
        read({"cloud": {"kind": "local"}, "hub": hub}, {"spaceKeys": '{"a": "HUNTER2"}'}, [secrets.faults])
    assert "spaceKeys.a: is not a private key" in str(caught.value)
    assert "HUNTER2" not in str(caught.value)


def test_a_host_key_of_another_kind_is_told_in_words() -> None:
    ed25519 = handed("host-key", "alone").split()[1]
    assert "none of ssh-rsa" in (host_key.fault(f"ssh-rsa {ed25519}") or "")
    assert "write type and key as ssh-keyscan prints them" in told(cloud=server("ssh-rsa AAAA"))


NOISE = st.text(st.sampled_from("=:[]\"'`#;{}$ \n\r\t\0\ufeff\ufffdab") | st.characters(), max_size=12)


@st.composite
def altered(draw: st.DrawFn, kind: str) -> str:
    """A file of a row with something put in, or something else altogether."""
    text = handed(kind, draw(st.sampled_from([*rows(kind, "taken"), *rows(kind, "refused")])))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(NOISE) + text[at + draw(st.integers(0, 4)) :]
    return text


@pytest.mark.parametrize("kind", READERS)
def test_any_text_is_written_on_or_refused_in_words(kind: str) -> None:
    @settings(max_examples=200, deadline=None)
    @given(altered(kind))
    def check(text: str) -> None:
        with contextlib.suppress(HandedOverError):
            written = READERS[kind](text)
            assert READERS[kind](written) == written

    check()


def test_what_is_taken_for_a_key_is_one_for_ssh_too(tmp_path: Path) -> None:
    @settings(max_examples=60, deadline=None)
    @given(altered("ssh-key"))
    def check(text: str) -> None:
        with contextlib.suppress(HandedOverError):
            assert public_half(tmp_path, ssh_key(text))

    check()
