"""The key pairs of a stack."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra.machine import keys
from tests.unit.test_handed_over import ROWS


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Say where Pulumi's state notes that the keys were made."""

    def holds(made_on: str | None = None) -> None:
        resources: dict[str, Any] = {"urn:other": {"type": "x", "outputs": {}}}
        if made_on is not None:
            resources["urn:component"] = {"type": "cyberhubs:x", "outputs": {"keysMadeOn": made_on}}
        monkeypatch.setattr("infra.stack.state.resources", lambda: resources)

    holds()
    return holds


@pytest.mark.usefixtures("state")
class TestFirstUse:
    def test_a_key_pair_is_made_that_only_its_owner_can_read(self, home: Path) -> None:
        key = keys.operator_key(None, "arbutus", in_use=False)
        file = Path(key.file)
        assert file == home / ".ssh" / "cyberhubs-arbutus"
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700
        assert file.with_suffix(".pub").read_text().startswith(key.public)

    def test_the_second_run_uses_the_same_keys(self) -> None:
        assert keys.operator_key(None, "arbutus", in_use=False) == keys.operator_key(
            None, "arbutus", in_use=False
        )
        assert keys.host_key("arbutus", in_use=False) == keys.host_key("arbutus", in_use=False)

    def test_operator_and_machine_have_different_keys_and_so_have_two_stacks(self) -> None:
        publics = [
            keys.operator_key(None, "arbutus", in_use=False).public,
            keys.host_key("arbutus", in_use=False).public,
            keys.operator_key(None, "aws", in_use=False).public,
            keys.host_key("aws", in_use=False).public,
        ]
        assert len(set(publics)) == 4

    def test_parallel_runs_get_one_and_the_same_pair(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: keys.host_key("arbutus", in_use=False), range(8)))
        assert len(set(made)) == 1

    def test_nothing_is_left_beside_the_two_pairs(self, home: Path) -> None:
        keys.operator_key(None, "a", in_use=False)
        keys.host_key("a", in_use=False)
        names = sorted(path.name for path in (home / ".ssh").iterdir())
        assert names == ["cyberhubs-a", "cyberhubs-a-host", "cyberhubs-a-host.pub", "cyberhubs-a.pub"]

    def test_the_private_half_does_not_show_in_messages(self) -> None:
        key = keys.host_key("arbutus", in_use=False)
        assert key.private.startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
        assert "PRIVATE" not in repr(key)


class TestKeysOfARunningMachine:
    def test_missing_keys_are_an_error_that_says_where_they_are(
        self, state: Callable[..., None], home: Path
    ) -> None:
        state(made_on="ada@desk")
        with pytest.raises(pulumi.RunError, match=r"made on ada@desk: copy ~/\.ssh/cyberhubs-s-host"):
            keys.host_key("s", in_use=True)
        with pytest.raises(pulumi.RunError, match=r"made on ada@desk: copy ~/\.ssh/cyberhubs-s "):
            keys.operator_key(None, "s", in_use=True)
        assert list((home / ".ssh").iterdir()) == [], "no new key that could pass for the lost one"

    def test_where_nobody_noted_it_the_computer_is_described(self, state: Callable[..., None]) -> None:
        state()
        with pytest.raises(pulumi.RunError, match="made on the computer that first ran pulumi up for this"):
            keys.host_key("s", in_use=True)

    def test_keys_that_are_there_need_no_look_at_the_state(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = keys.host_key("s", in_use=False)
        monkeypatch.delattr("infra.stack.state.resources")
        assert keys.host_key("s", in_use=True) == made


class TestAKeyOfOnesOwn:
    def test_it_is_used_with_its_public_half(self, tmp_path: Path) -> None:
        file = tmp_path / "my.pem"
        _keygen("-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", str(file))
        key = keys.operator_key("~/my.pem", "aws", in_use=False)
        assert key.file == str(file)
        assert key.public.startswith("ssh-rsa ")
        assert len(key.public.split()) == 2

    def test_with_a_passphrase_the_public_file_beside_it_tells(self, tmp_path: Path) -> None:
        file = tmp_path / "locked"
        _keygen("-t", "ed25519", "-N", "secret words", "-f", str(file))
        public = file.with_suffix(".pub")
        assert keys.operator_key(str(file), "s", in_use=False).public in public.read_text()
        public.unlink()
        with pytest.raises(
            pulumi.RunError, match=r"needs locked\.pub beside it and the key loaded into ssh-agent"
        ):
            keys.operator_key(str(file), "s", in_use=False)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(pulumi.RunError, match=rf"cloud\.sshKeyFile: {tmp_path}/none does not exist"):
            keys.operator_key(str(tmp_path / "none"), "s", in_use=False)

    def test_a_file_that_others_can_read_is_refused_as_ssh_would(self, tmp_path: Path) -> None:
        file = tmp_path / "open"
        _keygen("-t", "ed25519", "-N", "", "-f", str(file))
        file.chmod(0o644)
        with pytest.raises(pulumi.RunError, match="chmod 600"):
            keys.operator_key(str(file), "s", in_use=False)

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ("by-an-editor-of-windows", "run: dos2unix {file}"),
            ("by-powershell", "run: iconv -f utf-16 -t utf-8 {file} >{file}.new"),
            ("on-an-old-mac", "run: tr "),
            ("of-putty", "run: puttygen {file} -O private-openssh -o {file}.key"),
            ("the-public-half", "{file} is the public half; give the private one"),
            ("indented", "has its lines indented"),
            ("half-of-it", "a part of it is missing"),
            ("a-certificate", "is a certificate; give the private key"),
        ],
    )
    def test_a_key_of_another_system_is_told_with_what_mends_it(
        self, row: str, words: str, tmp_path: Path
    ) -> None:
        file = tmp_path / row
        file.write_bytes((ROWS / "ssh-key" / row).read_bytes())
        file.chmod(0o600)
        with pytest.raises(pulumi.RunError) as caught:
            keys.operator_key(str(file), "s", in_use=False)
        assert words.format(file=file) in str(caught.value)

    @pytest.mark.parametrize("row", ["as-ssh-keygen-writes-it", "rsa-in-pem", "ec-with-its-parameters"])
    def test_what_ssh_reads_is_used_as_it_is(self, row: str, tmp_path: Path) -> None:
        file = tmp_path / row
        file.write_bytes((ROWS / "ssh-key" / row).read_bytes())
        file.chmod(0o600)
        assert keys.operator_key(str(file), "s", in_use=False).public.split()[1].startswith("AAAA")

    def test_a_file_that_is_no_key_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "text"
        file.write_text("not a key\n")
        file.chmod(0o600)
        with pytest.raises(pulumi.RunError, match="is not a private key"):
            keys.operator_key(str(file), "s", in_use=False)


def _keygen(*words: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *words], check=True)
