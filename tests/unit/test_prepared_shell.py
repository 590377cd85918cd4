"""What `source tools/env.sh` makes of a shell."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tools.toolchain import exports
from tools.toolchain.places import ROOT


def test_decisions_are_kept_and_taken_back(tmp_path: Path) -> None:
    file = tmp_path / ".pulumi" / "toolchain.env"
    assert exports.read(file) == {}
    exports.update({"CYBERHUBS_PULUMI_BIN": "/a b/it's", "CYBERHUBS_CADDY": "/caddy"}, file)
    exports.update({"CYBERHUBS_CADDY": None, "CYBERHUBS_TOOLCHAIN": "on PATH"}, file)
    assert exports.read(file) == {"CYBERHUBS_PULUMI_BIN": "/a b/it's", "CYBERHUBS_TOOLCHAIN": "on PATH"}


@pytest.mark.parametrize("value", ["", "plain", "a b", "it's", 'say "hi"', "$HOME `id`", "ä\\n"])
def test_a_shell_reads_back_what_was_written_for_it(tmp_path: Path, value: str) -> None:
    file = tmp_path / "toolchain.env"
    file.write_text(exports.render({"CYBERHUBS_CADDY": value}))
    script = f'. {shlex.quote(str(file))}; printf %s "$CYBERHUBS_CADDY"'
    assert subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout == value
    assert exports.read(file) == {"CYBERHUBS_CADDY": value}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that `make toolchain` has set up, in a folder with a blank in its name."""
    root = tmp_path / "my hub"
    (root / "tools").mkdir(parents=True)
    (root / "tools" / "env.sh").write_text((ROOT / "tools" / "env.sh").read_text())
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").touch(mode=0o755)
    (root / ".pulumi").mkdir()
    values = {"CYBERHUBS_PULUMI_BIN": "/cache/bin", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
    (root / ".pulumi" / "toolchain.env").write_text(exports.render(values))
    return root


def sourced(checkout: Path, then: str, **given: str) -> str:
    """What a strict bash prints that sources env.sh from another folder and then runs `then`."""
    script = f"set -euo pipefail; cd /; source {shlex.quote(str(checkout / 'tools' / 'env.sh'))}; {then}"
    env = {"HOME": "/home/ada", "PATH": os.environ["PATH"], **given}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


def test_one_line_makes_a_shell_ready_for_plain_pulumi(checkout: Path) -> None:
    lines = sourced(checkout, "env", PYTHONDONTWRITEBYTECODE="1").splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    assert settings["PATH"].startswith(f"{checkout}/.venv/bin:/cache/bin:")
    assert settings["VIRTUAL_ENV"] == f"{checkout}/.venv"
    assert settings["PULUMI_HOME"] == f"{checkout}/.pulumi"
    assert settings["PULUMI_BACKEND_URL"] == "file:///home/ada"
    assert settings["PULUMI_CONFIG_PASSPHRASE_FILE"] == "/home/ada/.config/cyberhubs/passphrase"
    assert settings["PULUMI_RUN_PROGRAM"] == "true"
    assert settings["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert "PYTHONDONTWRITEBYTECODE" not in settings
    assert not [name for name in settings if name.startswith("_cyberhubs")]


def test_where_state_and_passphrase_are_stays_the_users_choice(checkout: Path) -> None:
    then = 'echo "$PULUMI_BACKEND_URL ${PULUMI_CONFIG_PASSPHRASE_FILE-none}"'
    given = {"PULUMI_BACKEND_URL": "s3://lab-state", "PULUMI_CONFIG_PASSPHRASE": ""}
    assert sourced(checkout, then, **given) == "s3://lab-state none"
    assert sourced(checkout, then, PULUMI_CONFIG_PASSPHRASE_FILE="/mine") == "file:///home/ada /mine"


def test_sourcing_twice_changes_nothing_more(checkout: Path) -> None:
    file = shlex.quote(str(checkout / "tools" / "env.sh"))
    again = f'before=$PATH; source {file}; [ "$PATH" = "$before" ] && echo same'
    assert sourced(checkout, again) == "same"


def test_a_checkout_that_is_not_set_up_says_what_to_run(checkout: Path) -> None:
    (checkout / ".pulumi" / "toolchain.env").unlink()
    assert "run 'make toolchain'" in sourced(checkout, "true")
