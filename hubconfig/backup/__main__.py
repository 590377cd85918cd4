"""Backs up what a hub cannot make anew: homes, shared folders, the hubs' own state.

cyberhub-backup forever         back up every EVERY_HOURS, keep those of the last 24 hours and KEEP_DAILY,
                                KEEP_WEEKLY, KEEP_MONTHLY
cyberhub-backup once            back up now; from then on this data volume's backups belong there
cyberhub-backup snapshots       list what there is
cyberhub-backup fetch PATH [ID] put a file or folder, named as on the data volume, into restored/ beside them
cyberhub-backup which [ID]      print, as JSON, the snapshot that `restore` would take
cyberhub-backup restore [ID]    put a snapshot back; hubs and users' servers must not run. Default: the
                                stack's latest; if it has none, the latest of the only other stack there is
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from hubconfig.backup import options as given
from hubconfig.backup import restoring, snapshots
from hubconfig.backup.making import Backup, say
from hubconfig.backup.options import Options, Refused, credentials
from hubconfig.backup.repository import open_repository
from hubconfig.backup.restic import Restic

_WAIT_SECONDS = 60
"""How long one that somebody asked for waits for the one that runs."""

_LOOK_SECONDS = 15
"""How often the timer looks whether a backup is due."""


def main(words: list[str]) -> int:
    """Do what is asked; the exit code."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        backup = prepared()
        os.umask(0o077)
        return _do(backup, words[0] if words else "forever", words[1:])
    except Refused as error:
        say(str(error), wrong=True)
        return 1


def prepared() -> Backup:
    """What the container's variables and secrets say. Raises Refused."""
    options = Options.read(os.environ)
    if not given.PASSWORD.exists() or not given.PASSWORD.stat().st_size:
        raise Refused(f"there is no password at {given.PASSWORD}")
    text = given.CREDENTIALS.read_text() if given.CREDENTIALS.exists() else ""
    restic = Restic({**os.environ, "RESTIC_PASSWORD_FILE": str(given.PASSWORD), **credentials(text)})
    folder = Path(options.folder.backup)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError:
        raise Refused(f"{folder} cannot be written") from None
    return Backup(options, restic)


def forever(backup: Backup) -> None:
    """Back up whenever it is time."""
    new = True
    while True:
        if backup.notes.is_due(time.time(), backup.options.every_hours, new=new):
            new = False
            try:
                with backup.alone():
                    done = backup.once(timer=True)
            except Refused as error:
                say(str(error), wrong=True)
                done = False
            if not done:
                say("the next try is in 15 minutes", wrong=True)
        time.sleep(_LOOK_SECONDS)


def _do(backup: Backup, command: str, more: list[str]) -> int:
    first, second = [*more, "", ""][:2]
    if command == "forever":
        forever(backup)
    elif command == "once":
        with backup.alone(_WAIT_SECONDS):
            return 0 if backup.once() else 1
    elif command == "snapshots":
        return backup.restic.run("snapshots", shown=True).code
    elif command == "which":
        options = backup.options
        repository = open_repository(backup.restic, options, backup.notes)
        print(snapshots.choose(repository.every(), options.stack, first, options.repository).told())
    elif command == "fetch":
        restoring.fetch(backup, first, second)
    elif command == "restore":
        with backup.alone(_WAIT_SECONDS):
            restoring.restore(backup, first)
    else:
        raise Refused("say forever, once, snapshots, fetch, which or restore")
    return 0


def _stop(_number: int, _frame: object) -> None:
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
