"""The Python environment of the checkout, with the packages that the requirements files pin."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from tools.toolchain import apt
from tools.toolchain.cache import key_of
from tools.toolchain.console import run, step
from tools.toolchain.places import ROOT, VENV

_DEVELOPMENT = "requirements-dev.txt"
_PROGRAM = "requirements.txt"

_BY_HAND = (
    "Look at the error above. pip must reach a package index; behind a company's proxy, pip's own settings\n"
    "(`pip config`) say how. Then run make again."
)


def ensure(*, development: bool) -> None:
    """Have .venv with what the program needs, or with what its tests need as well.

    Raises Problem, with what to do by hand, when it cannot be made.
    """
    wanted = _DEVELOPMENT if development else _PROGRAM
    # What the tests need includes what the program needs.
    if any(_stamp(name).exists() for name in {wanted, _DEVELOPMENT}) and (VENV / "bin" / "python").exists():
        return
    _create()
    with step(f"Installing the Python packages of {wanted} into .venv", "1 minute"):
        options = ["--quiet", "--no-input", "--disable-pip-version-check"]
        run(
            [VENV / "bin" / "python", "-m", "pip", "install", *options, "-r", ROOT / wanted], by_hand=_BY_HAND
        )
    _stamp(wanted).touch()


def _stamp(name: str) -> Path:
    """Marks that these packages are installed, by this Python, in a checkout that was not moved since."""
    files = [ROOT / file for file in {name, _PROGRAM}]
    return VENV / f".{name}-{key_of(files, str(ROOT), sys.version)}"


def _create() -> None:
    made = VENV / f".made-{key_of([], str(ROOT), sys.version)}"
    if made.exists() and (VENV / "bin" / "python").exists():
        return
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        otherwise = (
            f"This Python cannot make virtual environments: install Debian's {package}, then run make again."
        )
        apt.install([package], usually="10 seconds", otherwise=otherwise)
    shutil.rmtree(VENV, ignore_errors=True)
    # Not sys.executable: in a prepared shell that is the very .venv that was just removed.
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    run([python, "-m", "venv", VENV], by_hand=_BY_HAND)
    made.touch()
