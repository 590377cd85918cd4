"""Puts a snapshot back, or a single file of one beside what there is."""

from __future__ import annotations

import sqlite3
from pathlib import Path, PurePosixPath

from hubconfig.backup import snapshots, staging
from hubconfig.backup.making import Backup, refuse_if_links_lead_somewhere, say
from hubconfig.backup.options import Refused
from hubconfig.backup.repository import open_repository
from hubconfig.backup.volume import is_ours, literally

SESSION_KEYS = ("cookie_secret", "crypt_key")
"""A hub makes them anew where it has none: a copy that somebody has of an old one opens nothing then."""


def restore(backup: Backup, begins: str) -> None:
    """Put a snapshot back; hubs and users' servers must not run. Raises Refused.

    :param begins: how its id begins; empty: see `snapshots.choose`.
    """
    options = backup.options
    refuse_if_links_lead_somewhere(options)
    repository = open_repository(backup.restic, options, backup.notes)
    chosen = snapshots.choose(repository.every(), options.stack, begins, options.repository)
    copies = [Path(options.folder.staging), Path(options.folder.former_staging)]
    staging.clear(copies[0])
    if is_ours(copies[1]):
        staging.clear(copies[1])
    if backup.volume.homes():
        backup.replaced()
    if backup.restic.run("restore", chosen.id, "--target", "/", "--sparse", shown=True).code:
        raise Refused("the restore did not end well; repeat it")
    for folder in copies:  # the second is an older version's
        if is_ours(folder):
            _place(backup, folder)
            staging.clear(folder)
    for name in backup.volume.every_hub():
        for key in SESSION_KEYS:
            (Path(backup.volume.hub(name).state) / key).unlink(missing_ok=True)
    backup.notes.join(options.repository, repository.identity)
    say("everybody has to sign in again")
    say(f"restored: {chosen.short}")


def fetch(backup: Backup, path: str, begins: str) -> None:
    """Put a file or folder into `restored` on the volume: a folder of root's own. Raises Refused.

    In the place itself, its owner might lead us elsewhere by a link.
    """
    options, wanted = backup.options, within(path)
    refuse_if_links_lead_somewhere(options)
    repository = open_repository(backup.restic, options, backup.notes)
    chosen = snapshots.choose(repository.every(), options.stack, begins, options.repository)
    restored = Path(options.folder.restored)
    restored.mkdir(exist_ok=True)
    restored.chmod(0o700)
    target = restored / chosen.short
    words = [f"{chosen.id}:{options.folder.root}", "--target", str(target), "--sparse"]
    if backup.restic.run("restore", *words, "--include", f"/{literally(str(wanted))}", shown=True).code:
        raise Refused("nothing was restored")
    found = target / wanted
    if not found.exists() and not found.is_symlink():
        raise Refused(f"snapshot {chosen.short} has no {path}")
    say(f"see restored/{chosen.short}/{wanted} on the data volume; move it where you want it")


def within(path: str) -> PurePosixPath:
    """A path on the volume, as somebody types it. Raises Refused where it leads out of it."""
    wanted = PurePosixPath(path.lstrip("/"))
    if not wanted.parts or ".." in wanted.parts or "\0" in path:
        raise Refused("say which file or folder, such as jupyterhub_users/ada/thesis.tex")
    return wanted


def _place(backup: Backup, folder: Path) -> None:
    for copy in sorted(folder.glob("cyberhub/*/state/*.sqlite")):
        try:
            staging.unlearn(copy)
        except sqlite3.Error:
            raise Refused(f"{copy} is not a hub's database") from None
        database = Path(backup.options.folder.root) / copy.relative_to(folder)
        try:
            staging.place(copy, database)
        except OSError as error:
            raise Refused(f"{database} could not be written: {error}") from None
