"""Folders that images are built from, and the name that follows from what is in them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "hubconfig" / "images"
SYSTEM_IMAGES = IMAGES / "system"
CACHE = ROOT / ".cache"
"""What took long to get: checkouts of git, images' folders with a program beside, notes of both."""

UNUSED_DAYS = 30
"""How long something stays there that no update has used."""


@dataclass(frozen=True)
class BuildContext:
    """A folder with a Dockerfile."""

    name: str
    folder: Path
    dockerfile: str = "Dockerfile"

    @property
    def wants(self) -> frozenset[str]:
        """The build arguments that the Dockerfile declares."""
        text = re.sub(
            r"\\[ \t]*\r?\n", " ", (self.folder / self.dockerfile).read_text("utf-8-sig", "replace")
        )
        declared = re.findall(r"^\s*ARG\s+(.+)$", text, re.MULTILINE | re.IGNORECASE)
        return frozenset(word.partition("=")[0] for words in declared for word in words.split())

    def digest(self, arguments: Mapping[str, str]) -> str:
        """A short hash of all that goes into the image: the same folder always gets the same name."""
        total = hashlib.sha256(repr((self.dockerfile, sorted(arguments.items()))).encode())
        for file in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            executable = os.access(file, os.X_OK)
            total.update(repr((str(file.relative_to(self.folder)), executable)).encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
        return total.hexdigest()[:12]


def own_context(name: str) -> BuildContext:
    """The folder of an image of ours."""
    system = SYSTEM_IMAGES / name
    return BuildContext(name, system if system.is_dir() else IMAGES / name)


def own_names() -> list[str]:
    """The images that a menu entry may build."""
    return sorted(path.parent.name for path in IMAGES.glob("*/Dockerfile"))


def proxy_context() -> BuildContext:
    """The proxy's folder; with the Caddy binary beside it where CYBERHUBS_CADDY names one.

    Where no registry can be reached, Caddy is built from its source on this machine.
    """
    binary = os.environ.get("CYBERHUBS_CADDY")
    folder = SYSTEM_IMAGES / "proxy"
    if not binary:
        return BuildContext("proxy", folder)
    caddy = Path(binary)
    mark = hashlib.sha256(f"{caddy.stat().st_size}{caddy.stat().st_mtime_ns}".encode())
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        mark.update(file.read_bytes())
    staged = CACHE / f"proxy-{mark.hexdigest()[:12]}"
    if not staged.exists():
        partial = staged.with_suffix(f".{os.getpid()}")
        shutil.copytree(folder, partial)
        shutil.copy2(caddy, partial / "caddy")
        partial.rename(staged)
    os.utime(staged)  # as used, see `tidy`
    return BuildContext("proxy", staged, "Dockerfile.binary")


def tidy(cache: Path = CACHE) -> None:
    """Remove what no update has used for long; it can be had again.

    Whoever uses something in the cache sets its time of change.
    """
    oldest = time.time() - UNUSED_DAYS * 24 * 3600
    for path in [*cache.glob("*")]:
        if path.lstat().st_mtime < oldest:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
