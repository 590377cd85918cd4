"""Gets Pulumi: what is on PATH, else by its official installer, else built from Go modules."""

from __future__ import annotations

import functools
import os
import platform
import secrets
import shutil
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.toolchain import exports, golang
from tools.toolchain.cache import build_once, entry, key_of
from tools.toolchain.console import Problem, run, say, step, succeeds
from tools.toolchain.pins import OLDEST_CLI, pinned, version
from tools.toolchain.places import PULUMI_HOME, ROOT, cache, passphrase_file

_INSTALLER = "https://get.pulumi.com"
_INSTALLER_SECONDS = 10

_MODULES = ROOT / "tools" / "pulumi"
_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"

PLUGINS = {"docker": "pulumi-docker", "openstack": "pulumi-openstack"}
"""Plug-ins that can be built here, and the Python packages whose versions they have."""

_NEEDED_AT_ONCE = "docker"
"""Every stack uses it. With internet Pulumi gets the clouds' own plug-ins when they are first used."""


@dataclass(frozen=True)
class Way:
    """A way to get Pulumi."""

    name: str
    try_it: Callable[[], dict[str, str | None] | None]
    """What to tell tools/env.sh, or None where this way leads nowhere on this machine."""
    still_good: Callable[[], bool]
    """Whether what it led to the last time is still there, without asking the network."""


def ensure() -> None:
    """Have Pulumi and its plug-ins ready, and say in `exports` how to use them.

    Raises Problem, with what to do by hand, when no way leads to them.
    """
    recorded = exports.read().get("CYBERHUBS_TOOLCHAIN")
    if not any(way.name == recorded and way.still_good() for way in WAYS):
        exports.update({"CYBERHUBS_TOOLCHAIN": None})
        exports.update(first_that_leads(WAYS))
    _ensure_passphrase()


def first_that_leads(ways: tuple[Way, ...]) -> dict[str, str | None]:
    """What the first of these ways that works here has to tell. Raises Problem when none does."""
    for way in ways:
        found = way.try_it()
        if found is not None:
            say(f"    Pulumi: {way.name}")
            return {"CYBERHUBS_TOOLCHAIN": way.name, **found}
    raise Problem(f"Pulumi could not be had in any way: {', '.join(way.name for way in ways)}")


# On PATH


def _from_path() -> dict[str, str | None] | None:
    cli = _on_path()
    if cli is None:
        return None
    found = version(run([cli, "version"], env=_environment(), by_hand="Repair or remove it."))
    wanted = ".".join(map(str, OLDEST_CLI))
    if found < OLDEST_CLI:
        say(f"    {cli} is {'.'.join(map(str, found))}, older than {wanted}; looking further")
        return None
    if not (cli.with_name("pulumi-language-python").exists() and _get_official_plugin(cli)):
        say(f"    {cli} cannot get its plug-ins on this network; looking further")
        return None
    return _official("")


def _on_path() -> Path | None:
    """The pulumi that a person put on PATH, not one of ours from a prepared shell."""
    ours = str(cache())
    folders = [folder for folder in os.get_exec_path() if not folder.startswith(ours)]
    found = shutil.which("pulumi", path=os.pathsep.join(folders))
    return None if found is None else Path(found).resolve()


# By the official installer


def _from_installer() -> dict[str, str | None] | None:
    script = _installer_script()
    if script is None:
        say("    Pulumi's installer cannot be reached; looking further")
        return None

    def install(folder: Path) -> None:
        with step("Installing Pulumi by its official installer", "half a minute"):
            file = folder / "install.sh"
            file.write_bytes(script)
            options = ["--version", pinned("pulumi"), "--install-root", str(folder), "--no-edit-path"]
            run(["sh", file, *options], by_hand=_BY_HAND)

    root = build_once(*_official_entry(), install)
    if not _get_official_plugin(root / "bin" / "pulumi"):
        say("    Pulumi was installed, but its Docker plug-in cannot be downloaded; looking further")
        return None
    return _official(str(root / "bin"))


def _official_entry() -> tuple[str, str]:
    return "toolchain-official", f"{pinned('pulumi')}-{platform.system()}-{platform.machine()}".lower()


@functools.cache
def _installer_script() -> bytes | None:
    """Pulumi's installer; None where it does not come within seconds.

    In a thread, because the time limit of a request does not cover looking up the name, and a
    closed network may leave that unanswered for a minute.
    """
    answer: list[bytes] = []

    def fetch() -> None:
        try:
            with urllib.request.urlopen(_INSTALLER, timeout=_INSTALLER_SECONDS) as response:
                answer.append(response.read())
        except (urllib.error.URLError, OSError):
            return

    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    thread.join(_INSTALLER_SECONDS)
    return answer[0] if answer and answer[0].startswith(b"#!") else None


def _get_official_plugin(cli: Path) -> bool:
    """Whether the plug-in that is needed at once is there or can be downloaded."""
    built_here = "CYBERHUBS_PLUGINS" in exports.read()
    if _plugin_folder(_NEEDED_AT_ONCE).is_dir() and not built_here:
        return True
    if _installer_script() is None:
        return False
    with step("Downloading Pulumi's Docker plug-in", "half a minute"):
        return succeeds(
            [
                cli,
                "plugin",
                "install",
                "resource",
                _NEEDED_AT_ONCE,
                _plugin_version(_NEEDED_AT_ONCE),
                "--reinstall",
            ],
            env=_environment(),
        )


def _official(folder: str) -> dict[str, str | None]:
    return {
        "CYBERHUBS_PULUMI_BIN": folder,
        "CYBERHUBS_PLUGINS": None,
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": None,
    }


# Built from Go modules


def _from_go_modules() -> dict[str, str | None]:
    key = _go_key()
    root = build_once("toolchain", key, _build)
    if exports.read().get("CYBERHUBS_PLUGINS") != key or not _plugins_there():
        exports.update({"CYBERHUBS_PLUGINS": "unfinished"})  # ours in any case, should this be killed
        for name in PLUGINS:
            binary = root / "plugins" / f"pulumi-resource-{name}"
            words = ["plugin", "install", "resource", name, _plugin_version(name), "--reinstall"]
            run([root / "bin" / "pulumi", *words, "--file", binary], env=_environment(), by_hand=_BY_HAND)
    return {
        "CYBERHUBS_PULUMI_BIN": str(root / "bin"),
        "CYBERHUBS_PLUGINS": key,
        # What cannot be downloaded here would be asked for at each run, for seconds.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def _go_key() -> str:
    files = [file for pattern in ("go.mod", "go.sum", "*.go") for file in _MODULES.rglob(pattern)]
    packages = sorted({"pulumi", *PLUGINS.values()})
    return key_of(files, *(f"{package}=={pinned(package)}" for package in packages))


def _build(folder: Path) -> None:
    """CLI and language host in bin/; plug-ins apart, because Pulumi warns of plug-ins on PATH."""
    programs, plugins = folder / "bin", folder / "plugins"
    cli, host, providers = (_MODULES / name for name in ("cli", "language-python", "providers"))
    stamp = f"{_VERSION_VARIABLE}=v{pinned('pulumi')}"
    commands = "github.com/pulumi/pulumi"
    with step("Building Pulumi from Go modules (1 of 3), once", "2 to 4 minutes"):
        golang.build(cli, f"{commands}/pkg/v3/cmd/pulumi", programs / "pulumi", variables=[stamp])
    with step("Building Pulumi's Python host (2 of 3), once", "10 seconds"):
        package = f"{commands}/sdk/v3/python/cmd/pulumi-language-python"
        golang.build(host, package, programs / "pulumi-language-python", variables=[stamp])
        # The host starts Python with a script that its module carries.
        script = "pulumi-language-python-exec"
        source = golang.source_of(f"{commands}/sdk/v3", cli) / "python" / "cmd" / script
        shutil.copyfile(source, programs / script)
        (programs / script).chmod(0o755)
    with step("Building Pulumi's plug-ins (3 of 3), once", "1 to 3 minutes"):
        for name in PLUGINS:
            binary = plugins / f"pulumi-resource-{name}"
            golang.build(providers, f"./{name}", binary, variables=[f"main.version={_plugin_version(name)}"])


# Common


def _environment() -> dict[str, str]:
    return {**os.environ, "PULUMI_HOME": str(PULUMI_HOME), "PULUMI_SKIP_UPDATE_CHECK": "true"}


def _plugin_version(name: str) -> str:
    return pinned(PLUGINS[name])


def _plugin_folder(name: str) -> Path:
    return PULUMI_HOME / "plugins" / f"resource-{name}-v{_plugin_version(name)}"


def _plugins_there() -> bool:
    return all(_plugin_folder(name).is_dir() for name in PLUGINS)


def _ensure_passphrase() -> None:
    """The passphrase of this user's stacks: made once, kept out of the checkout, never shown."""
    if os.environ.keys() & {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"}:
        return
    file = passphrase_file()
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, unfinished = tempfile.mkstemp(dir=file.parent)  # mode 0600
    with os.fdopen(handle, "w") as out:
        out.write(secrets.token_urlsafe(32) + "\n")
    Path(unfinished).rename(file)
    say(f"    The passphrase of your stacks' secrets was made: {file}. Keep a copy of it in a safe place.")


_BY_HAND = (
    "By hand: install Pulumi as https://www.pulumi.com/docs/install/ says, so that `pulumi version` works,\n"
    "and run make again."
)

WAYS = (
    Way("on PATH", _from_path, lambda: _on_path() is not None and _plugin_folder(_NEEDED_AT_ONCE).is_dir()),
    Way(
        "official installer",
        _from_installer,
        lambda: entry(*_official_entry()).is_dir() and _plugin_folder(_NEEDED_AT_ONCE).is_dir(),
    ),
    Way(
        "built from Go modules",
        _from_go_modules,
        lambda: (
            entry("toolchain", _go_key()).is_dir()
            and exports.read().get("CYBERHUBS_PLUGINS") == _go_key()
            and _plugins_there()
        ),
    ),
)
"""In the order they are tried."""
