"""What `make` does around a stack, as far as it only computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.host import Ssh
from tools.stacks import purge, stack
from tools.stacks.deployed import Deployed
from tools.toolchain.console import Problem


def test_make_up_ends_in_where_the_hub_is_and_how_to_get_in() -> None:
    found: dict[str, Any] = {
        "url": "https://localhost:8443",
        "dataDir": "/home/ada/cyberhubs-data/local",
        "sharedPassword": "open",
        "adminPassword": "sesame",
        "signIn": {"hub": {"kind": "sharedPassword", "admins": ["ada", "grace"]}},
        "tls": "local",
        "callbackUrl": "https://localhost:8443/hub/oauth_callback",
    }
    text = "\n".join(stack.announcement("local", found))
    assert all(found[name] in text for name in ("url", "dataDir", "sharedPassword", "adminPassword"))
    assert "to administer the hub, as ada or grace" in text
    assert "callback" not in text
    assert text.endswith("make down")


def test_with_github_make_up_says_which_callback_to_register() -> None:
    found: dict[str, Any] = {
        "url": "https://hub.example",
        "dataDir": "/mnt",
        "ssh": "ssh ada@hub.example",
        "signIn": {"hub": {"kind": "github", "admins": ["ada"]}},
        "callbackUrl": "https://hub.example/hub/oauth_callback",
    }
    text = "\n".join(stack.announcement("arbutus", found))
    assert found["callbackUrl"] in text
    assert "password" not in text
    assert "authority" not in text
    assert text.endswith("make down STACK=arbutus")


def test_each_of_several_hubs_is_told_with_its_own_way_in() -> None:
    found: dict[str, Any] = {
        "url": "https://hub.example",
        "dataDir": "/mnt",
        "signIn": {
            "hub": {"kind": "github", "admins": ["ada"]},
            "astro": {"kind": "sharedPassword", "admins": []},
            "maps": {"kind": "oidc", "admins": ["grace"]},
        },
        "sharedPassword": "open",
        "callbackUrl": "https://hub.example/hub/oauth_callback",
        "callbackUrl-maps": "https://hub.example/maps/hub/oauth_callback",
    }
    text = "\n".join(stack.announcement("arbutus", found))
    first, further = text.split("The hub astro is at  https://hub.example/astro/\n")
    astro, maps = further.split("The hub maps is at  https://hub.example/maps/\n")
    assert "password" not in first
    assert found["callbackUrl"] in first
    assert "password  open" in astro
    assert "administer" not in astro
    assert found["callbackUrl-maps"] in maps
    assert "password" not in maps


@pytest.mark.parametrize(
    ("name", "needed"), [("local", True), ("aws-free", True), ("arbutus", False), ("server", False)]
)
def test_docker_is_asked_for_where_the_hub_runs_or_is_built_here(name: str, *, needed: bool) -> None:
    assert stack.needs_engine(name) is needed


def test_a_stack_without_a_file_is_said_with_those_that_have_one() -> None:
    with pytest.raises(Problem, match=r"no stacks/Pulumi\.mars\.yaml.*arbutus, aws-free, local, server"):
        stack.needs_engine("mars")


def test_purge_touches_only_what_a_hub_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter1.tex").touch()
    with pytest.raises(Problem, match="does not look like a hub's data"):
        purge.check_removable(thesis)
    data = tmp_path / "ada" / "data"
    (data / "jupyterhub_users").mkdir(parents=True)
    purge.check_removable(data)
    monkeypatch.setattr(Path, "home", lambda: data / "home")
    with pytest.raises(Problem, match="does not look like a hub's data"):
        purge.check_removable(data)


def test_purge_of_a_cloud_stack_is_refused() -> None:
    with pytest.raises(Problem, match="arbutus is not a local stack"):
        purge.purge("arbutus", sure=True)


def test_a_stack_file_without_secrets_is_left_as_it_was_checked_out(tmp_path: Path) -> None:
    written = "# Mine.\nconfig:\n  cyberhubs:cloud:\n    kind: local\n"
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(f"{written}encryptionsalt: v1:abc=:v1:def\n")
    stack.put_salt_away(file)
    assert file.read_text() == written


def test_a_stack_file_with_a_secret_keeps_what_the_secret_needs(tmp_path: Path) -> None:
    written = "config:\n  cyberhubs:sharedPassword:\n    secure: v1:xyz\nencryptionsalt: v1:abc=:v1:def\n"
    file = tmp_path / "Pulumi.mine.yaml"
    file.write_text(written)
    stack.put_salt_away(file)
    assert file.read_text() == written


@pytest.mark.parametrize("name", ["arbutos", "Arbutus", "abutus"])
def test_a_slip_in_the_stacks_name_is_answered_with_the_one_that_was_meant(name: str) -> None:
    with pytest.raises(Problem, match=r"Did you mean STACK=arbutus\?"):
        stack.needs_engine(name)


@pytest.mark.parametrize("key", ["/k/key", "/k/my key", "/k/ada's key"])
def test_a_machine_is_reached_as_the_older_version_exported_it(key: str) -> None:
    ssh = Ssh(user="u", key_file=key, host_key="ssh-ed25519 AAAA", port=2222)
    words = " ".join(f"'{word}'" if " " in word else word for word in ssh.options())
    older = {"ssh": f"ssh {words} -p 2222 u@h", "hostKey": "ssh-ed25519 AAAA", "address": "h"}
    newer = {
        "sshUser": "u",
        "sshPort": 2222,
        "sshKeyFile": key,
        "hostKey": "ssh-ed25519 AAAA",
        "address": "h",
    }
    assert Deployed("s", older).ssh == Deployed("s", newer).ssh == ssh


def checkout(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: bytes) -> None:
    """A checkout with these files, as `stacks__Pulumi_mine_yaml` names them."""
    monkeypatch.setattr(stack, "ROOT", folder)
    (folder / "stacks").mkdir()
    for name, content in files.items():
        (folder / name.replace("__", "/").replace("_", ".")).write_bytes(content)


LOCAL = "config:\n  cyberhubs:cloud:\n    kind: local  # Universität\n"


@pytest.mark.parametrize("other", ["stacks__Pulumi_mine_yml", "Pulumi_mine_yaml", "stacks__mine_yaml"])
def test_a_stack_file_of_another_name_is_found(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout(tmp_path, monkeypatch, **{other: LOCAL.encode()})
    with pytest.raises(Problem, match=r"Rename it: mv \S+ stacks/Pulumi\.mine\.yaml$"):
        stack.needs_engine("mine")


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (LOCAL.encode("utf-16"), "utf-16"),
        (LOCAL.encode("utf-16-le"), "utf-16"),
        (LOCAL.encode("latin1"), "latin1"),
    ],
)
def test_a_stack_file_that_is_not_utf_8_is_told_with_what_mends_it(
    written: bytes, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout(tmp_path, monkeypatch, stacks__Pulumi_mine_yaml=written)
    with pytest.raises(Problem, match=rf"Run: iconv -f {form} -t utf-8 stacks/Pulumi\.mine\.yaml"):
        stack.needs_engine("mine")


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"])
def test_a_stack_file_of_another_system_is_read_and_stays_as_it_is(
    end: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = b"\xef\xbb\xbf" + LOCAL.encode().replace(b"\n", end)
    checkout(tmp_path, monkeypatch, stacks__Pulumi_mine_yaml=written + b"encryptionsalt: v1:abc" + end)
    assert stack.needs_engine("mine")
    stack.put_salt_away(stack.stack_file("mine"))
    assert stack.stack_file("mine").read_bytes() == written
