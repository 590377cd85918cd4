"""How a bare machine comes to Pulumi, Go and a base image, as far as it is only computed."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from tools.toolchain import apt, base_image, golang, pulumi
from tools.toolchain.console import Problem, run
from tools.toolchain.pins import pinned, version
from tools.toolchain.places import ROOT
from tools.toolchain.pulumi import PLUGINS, WAYS, Way, first_that_leads

# The order of the ways to Pulumi


def test_pulumi_on_path_comes_before_the_installer_and_that_before_a_build() -> None:
    assert [way.name for way in WAYS] == ["on PATH", "official installer", "built from Go modules"]


def test_the_first_way_that_leads_to_pulumi_is_taken_and_no_further_one_tried() -> None:
    tried = []

    def way(name: str, found: dict[str, str | None] | None) -> Way:
        def try_it() -> dict[str, str | None] | None:
            tried.append(name)
            return found

        return Way(name, try_it, lambda: False)

    ways = (way("one", None), way("two", {"CYBERHUBS_PULUMI_BIN": "/two"}), way("three", {}))
    assert first_that_leads(ways) == {"CYBERHUBS_TOOLCHAIN": "two", "CYBERHUBS_PULUMI_BIN": "/two"}
    assert tried == ["one", "two"]


def test_a_pulumi_of_our_own_on_the_path_of_a_prepared_shell_is_not_the_users(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = home / "cache" / "cyberhubs" / "toolchain-key" / "bin", home / "bin"
    for folder in (ours, theirs):
        folder.mkdir(parents=True)
        (folder / "pulumi").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(ours))
    assert pulumi._on_path() is None
    monkeypatch.setenv("PATH", f"{ours}:{theirs}")
    assert pulumi._on_path() == theirs / "pulumi"


def test_a_pulumi_that_is_too_old_is_passed_by(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = home / "pulumi"
    program.write_text("#!/bin/sh\necho v3.100.2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    assert pulumi._from_path() is None
    assert "3.100.2, older than 3.230.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("v3.256.0\n", (3, 256, 0)), ("3.257.0-alpha.xyz", (3, 257, 0)), ("(devel)", (0,))],
)
def test_versions_are_compared_by_their_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert version(text) == numbers


# Pins


def test_cli_and_python_package_of_pulumi_are_of_one_version() -> None:
    modules = (ROOT / "tools" / "pulumi" / "cli" / "go.mod").read_text()
    for module in ("pkg", "sdk"):
        assert f"github.com/pulumi/pulumi/{module}/v3 v{pinned('pulumi')} " in modules


def test_each_plug_in_that_is_built_here_has_a_main_and_a_pinned_python_package() -> None:
    for name, package in PLUGINS.items():
        assert (ROOT / "tools" / "pulumi" / "providers" / name / "main.go").is_file()
        assert version(pinned(package)) > (0,)


def test_a_package_that_is_not_pinned_is_a_fault_of_the_checkout() -> None:
    with pytest.raises(LookupError, match="does not pin no-such-package"):
        pinned("no-such-package")


@pytest.mark.parametrize(
    "module", sorted((ROOT / "tools").rglob("go.sum")), ids=lambda file: file.parent.name
)
def test_every_module_that_is_required_is_pinned_by_its_sum(module: Path) -> None:
    sums = module.read_text()
    text = module.with_name("go.mod").read_text()
    required = [line.split()[:2] for line in text.splitlines() if line.startswith("\t") and "=>" not in line]
    pairs = [(pair[0], pair[1]) for pair in required if len(pair) == 2 and pair[1].startswith("v")]
    replaced = {line.split()[0] for line in text.splitlines() if "=>" in line} | {
        line.split()[1] for line in text.splitlines() if line.startswith("replace ") and "(" not in line
    }
    wanted = [f"{name} {number}/go.mod h1:" for name, number in pairs if name not in replaced]
    assert wanted
    assert [line for line in wanted if line not in sums] == []


# The passphrase


def test_a_passphrase_is_made_once_and_only_its_owner_reads_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    file = home / ".config" / "cyberhubs" / "passphrase"
    pulumi._ensure_passphrase()
    made = file.read_text()
    assert len(made.strip()) >= 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert made.strip() not in capsys.readouterr().out
    pulumi._ensure_passphrase()
    assert file.read_text() == made


def test_who_has_a_passphrase_of_their_own_gets_no_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    pulumi._ensure_passphrase()
    assert not (home / ".config").exists()


# Go


def go_that_says(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a go on PATH that has this version."""
    program = folder / "go"
    program.write_text(f"#!/bin/sh\necho '{text}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(apt, "may_install", lambda: False)


@pytest.mark.parametrize(
    ("text", "toolchain"),
    [
        ("go version go1.26.8 linux/amd64", None),
        ("go version go1.27 linux/arm64", None),
        ("go version go1.24.4 linux/amd64", "go1.26.8+auto"),
    ],
)
def test_a_go_from_1_21_on_is_enough_because_it_gets_a_newer_one_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, toolchain: str | None
) -> None:
    monkeypatch.delenv("GOTOOLCHAIN", raising=False)
    go_that_says(tmp_path, text, monkeypatch)
    assert golang.environment().get("GOTOOLCHAIN") == toolchain


def test_a_go_that_is_too_old_or_missing_is_said_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_that_says(tmp_path, "go version go1.19.8 linux/amd64", monkeypatch)
    with pytest.raises(
        Problem, match=r"needs Go 1\.26 or newer; there is go 1\.19\.\n(.*\n)*.*install Pulumi"
    ):
        golang.environment()
    (tmp_path / "go").unlink()
    with pytest.raises(Problem, match="there is no go on PATH"):
        golang.environment()


# Base image


def test_proxies_and_lenient_dates_of_the_machines_apt_go_into_the_image_and_nothing_else() -> None:
    dump = "\n".join(
        [
            'APT::Architecture "amd64";',
            'Acquire::http::Proxy "http://proxy.example:3142";',
            'Acquire::https::Proxy::mirror.example "DIRECT";',
            'Acquire::http::Proxy-Auto-Detect "/usr/local/bin/find-proxy";',
            'Acquire::Check-Valid-Until "false";',
            'Acquire::Languages "none";',
            'Acquire::https::Proxy "";',
        ]
    )
    assert apt.lasting_options(dump) == [
        'Acquire::Check-Valid-Until "false"',
        'Acquire::http::Proxy "http://proxy.example:3142"',
        'Acquire::https::Proxy::mirror.example "DIRECT"',
    ]


def test_the_base_image_is_made_from_the_mirrors_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    release = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    rows = [
        ("http://mirror.example/debian/", "bookworm"),
        ("http://mirror.example/debian/", "bookworm-updates"),
        ("http://mirror.example/security/", "bookworm-security"),
        ("http://vendor.example/", "stable"),
    ]
    monkeypatch.setattr(apt, "mirrors", lambda: rows)
    assert base_image._sources() == [
        "deb http://mirror.example/debian/ trixie main",
        "deb http://mirror.example/debian/ trixie-updates main",
        "deb http://mirror.example/security/ trixie-security main",
    ]
    release["ID"] = "ubuntu"
    assert base_image._sources() == []


def test_the_name_of_the_base_image_changes_with_the_machines_authorities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "mirrors", list)
    monkeypatch.setattr(apt, "access_options", list)
    monkeypatch.setattr(base_image, "_CERTIFICATES", tmp_path)
    plain = base_image.made_name()
    assert plain == base_image.made_name()
    (tmp_path / "company.crt").write_text("one")
    with_company = base_image.made_name()
    (tmp_path / "company.crt").write_text("two")
    assert len({plain, with_company, base_image.made_name()}) == 3


# What commands say


def test_a_failing_command_is_told_with_its_last_words_and_the_way_out() -> None:
    with pytest.raises(Problem) as problem:
        run(["sh", "-c", "echo one; echo two >&2; exit 3"], by_hand="Do it yourself.")
    assert str(problem.value).splitlines() == [
        "`sh -c echo one; echo two >&2; exit 3` failed:",
        "    one",
        "    two",
        "Do it yourself.",
    ]
    with pytest.raises(Problem, match=r"no-such-program is not installed\. Get it\."):
        run(["no-such-program"], by_hand="Get it.")
