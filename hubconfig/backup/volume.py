"""The data volume as the backup sees it: which hubs are on it, what of it is copied, what is left out."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hubconfig.data_folder import DataFolder, HubFolder, hub_refusal

_OWN = ("cache", "joined", "joined.new", "last.json", "last.json.new", "lock")
"""What is in the backup's folder beside the copies of databases."""

_JOURNALS = ("", "-journal", "-wal", "-shm")
"""The files of a database, by what its name is followed by."""


@dataclass(frozen=True)
class Volume:
    """The volume, and the settings' hubs and shared folders on it."""

    folder: DataFolder
    hubs: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    def every_hub(self) -> list[str]:
        """The settings' hubs, and those that were one once and whose files are there still."""
        top = Path(self.folder.cyberhub)
        there = top.iterdir() if top.is_dir() else ()
        found = {
            each.name
            for each in there
            if hub_refusal(each.name) is None and not each.is_symlink() and (each / "state").is_dir()
        }
        return sorted(found | set(self.hubs))

    def hub(self, name: str) -> HubFolder:
        """A hub's folders."""
        return self.folder.hub(name)

    def databases(self) -> list[Path]:
        """The databases of all hubs."""
        states = (Path(self.hub(name).state) for name in self.every_hub())
        return sorted(file for state in states if state.is_dir() for file in state.glob("*.sqlite"))

    def homes(self) -> set[str]:
        """Every home of every hub, by its path."""
        folders = (Path(self.hub(name).homes) for name in self.every_hub())
        return {
            str(home)
            for folder in folders
            if folder.is_dir()
            for home in folder.iterdir()
            if not home.is_symlink() and home.is_dir()
        }

    def hub_folders(self, names: Iterable[str]) -> list[str]:
        """What hubs keep, by path."""
        folders = [self.hub(name) for name in names]
        return [str(path) for each in folders for path in (each.homes, each.access, each.state)]

    def copied(self) -> list[str]:
        """The folders that are copied, of those that there are."""
        first = (self.folder.hub("hub").homes, self.folder.cyberhub)
        every = (*first, *(self.folder.shared(source) for source in self.shared))
        return sorted({str(path) for path in every if Path(path).exists()})

    def left_out(self) -> list[str]:
        """The paths in those folders that are not copied: exact ones, so that none is a hub's by chance."""
        backup = Path(self.folder.backup)
        own = {backup / name for name in _OWN}
        if backup.is_dir():
            own |= {each for each in backup.iterdir() if each != Path(self.folder.staging)}
        former = Path(self.folder.former_staging)
        old = {former} if is_ours(former) else set()
        live = {file.with_name(file.name + journal) for file in self.databases() for journal in _JOURNALS}
        theirs = {
            Path(path) for path in (self.folder.spaces, self.folder.space_tokens, self.folder.proxy_settings)
        }
        return sorted(str(path) for path in {*own, *old, *live, *theirs})


def is_ours(staging: Path) -> bool:
    """Whether a folder holds nothing but copies of databases that a backup made."""
    try:
        known = staging.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(known.st_mode) or known.st_uid != 0 or stat.S_IMODE(known.st_mode) & 0o077:
        return False
    return all(_is_copy(each, each.relative_to(staging).parts) for each in staging.rglob("*"))


def _is_copy(path: Path, parts: tuple[str, ...]) -> bool:
    """cyberhub/HUB/state/NAME.sqlite, or a folder on the way to it; root's."""
    known = path.lstat()
    if (
        known.st_uid != 0
        or parts[0] != "cyberhub"
        or len(parts) > 4
        or (parts[2:3] or ("state",)) != ("state",)
    ):
        return False
    if len(parts) < 4:
        return stat.S_ISDIR(known.st_mode)
    return stat.S_ISREG(known.st_mode) and bool(re.search(r"\.sqlite(-journal|-wal|-shm)?$", parts[3]))


def literally(path: str) -> str:
    """A pattern of restic's that matches this path and no other."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", path)
