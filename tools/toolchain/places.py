"""Where things are kept: in the checkout, in the user's cache and in the user's configuration."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

VENV = ROOT / ".venv"

PULUMI_HOME = ROOT / ".pulumi"
"""Pulumi's plug-ins of this checkout: those built here must never pass for the official ones elsewhere."""


def cache() -> Path:
    """Where finished builds are kept, for all checkouts of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cyberhubs"


def passphrase_file() -> Path:
    """The passphrase that the secrets of this user's stacks are encrypted with."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "cyberhubs" / "passphrase"
