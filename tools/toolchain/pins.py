"""The versions of Pulumi and its plug-ins: those of the Python packages in requirements.txt."""

from __future__ import annotations

import re

from tools.toolchain.places import ROOT

OLDEST_CLI = (3, 230, 0)
"""Older ones do not run a resource's hooks before it is deleted as the program wants it."""


def pinned(package: str) -> str:
    """The version of a package in requirements.txt."""
    text = (ROOT / "requirements.txt").read_text()
    found = re.search(rf"^{re.escape(package)}==(\S+)", text, re.MULTILINE)
    if found is None:
        raise LookupError(f"requirements.txt does not pin {package}")
    return found[1]


def version(text: str) -> tuple[int, ...]:
    """The numbers of a version such as v3.256.0 or 3.257.0-alpha.1."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text.strip())
    return tuple(int(number) for number in found.groups()) if found else (0,)
