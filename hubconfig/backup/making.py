"""Makes a backup, and looks whether it is one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from time import monotonic, sleep

from hubconfig.backup import sight, snapshots, staging
from hubconfig.backup.inspection import Findings, compare
from hubconfig.backup.notes import Notes
from hubconfig.backup.options import Options, Refused
from hubconfig.backup.repository import Repository, open_repository
from hubconfig.backup.restic import SOME_FILES_UNREAD, Done, Restic
from hubconfig.backup.snapshots import REPLACED, Snapshot
from hubconfig.backup.volume import Volume, literally


def say(text: str, *, wrong: bool = False) -> None:
    """Tell whoever reads the container's log."""
    print(f"backup: {text}", file=sys.stderr if wrong else sys.stdout, flush=True)


@dataclass(frozen=True)
class Backup:
    """One stack's."""

    options: Options
    restic: Restic

    @property
    def volume(self) -> Volume:
        """What is backed up."""
        return Volume(self.options.folder, self.options.hubs, self.options.shared)

    @property
    def notes(self) -> Notes:
        """What is written down."""
        return Notes(Path(self.options.folder.backup))

    @contextmanager
    def alone(self, wait_seconds: float = 0) -> Iterator[None]:
        """One at a time: a timer's backup must not copy what is being restored. Raises Refused."""
        with self.notes.lock.open("a") as lock:
            deadline = monotonic() + wait_seconds
            while True:
                try:
                    flock(lock, LOCK_EX | LOCK_NB)
                    break
                except BlockingIOError:
                    if monotonic() >= deadline:
                        raise Refused("another backup or a restore runs; wait until it has ended") from None
                    sleep(0.2)
            yield

    def keep(self, tag: str) -> Done:
        """Make a snapshot; 3 is one without some files. Raises Refused when nothing was made."""
        refuse_if_links_lead_somewhere(self.options)
        folder, volume = self.options.folder, self.volume
        copies = Path(folder.staging)
        staging.stage(volume.databases(), Path(folder.root), copies)
        out = [word for path in volume.left_out() for word in ("--exclude", literally(path))]
        which = ["--host", "cyberhub", "--tag", tag, "--group-by", "tags"]
        try:
            done = self.restic.run(
                "backup", "--quiet", *which, *out, "--exclude-caches", "--", *volume.copied()
            )
        finally:
            staging.clear(copies)
        if done.code not in {0, SOME_FILES_UNREAD}:
            raise Refused(done.last_word)
        return done

    def once(self, *, timer: bool = False) -> bool:
        """Back up now, and note how it went; whether all went well.

        :param timer: nobody asked for it: refuse where this volume's backups may not belong there.
        """
        try:
            repository = open_repository(self.restic, self.options, self.notes, make=True)
            before = repository.every()
            if timer:
                self._refuse_if_new(repository, before)
            done = self.keep(self.options.stack)
            self.notes.join(self.options.repository, repository.identity)
        except (Refused, OSError) as error:
            self._note(made=False, message=str(error))
            say(f"failed: {error}", wrong=True)
            return False
        try:
            own, found = self._look(repository, before)
            message = self._forget() or _told(done) or found.error
        except Refused as error:
            own, found, message = None, Findings(), f"there is a new snapshot that was not looked at: {error}"
        self._note(made=True, message=message, warning=found.warning)
        if message:
            say(message, wrong=True)
            return False
        if found.warning:
            say(found.warning, wrong=True)
        say(f"done: {own.short if own else ''}")
        return True

    def replaced(self) -> None:
        """Keep what a restore is to replace. Raises Refused."""
        tag = f"{REPLACED}{self.options.stack}"
        try:
            self.keep(tag)  # a file that cannot be read now cannot be lost either
        except Refused as error:
            raise Refused(f"nothing was restored, as what is here could not be kept first: {error}") from None
        self.restic.run("forget", "--quiet", "--tag", tag, "--group-by", "tags", "--keep-last", "3")
        kept = snapshots.read(self.restic.must("snapshots", "--json", "--tag", tag))
        say(f"what was here is kept as snapshot {kept[-1].short}")

    def _refuse_if_new(self, repository: Repository, every: list[Snapshot]) -> None:
        """A new machine's empty hub must not become the latest backup of the one it replaces."""
        if self.notes.is_joined(self.options.repository, repository.identity):
            return
        if whose := snapshots.stacks(every):
            stack = self.options.stack
            raise Refused(
                f"the repository holds backups of {', '.join(whose)}, and none of this data volume. To get "
                f"them: make restore STACK={stack}; to keep what is here instead: make backup STACK={stack}"
            )

    def _look(self, repository: Repository, before: list[Snapshot]) -> tuple[Snapshot, Findings]:
        known = {each.id for each in before}
        made = [each for each in snapshots.of(self.options.stack, repository.every()) if each.id not in known]
        if not made:
            raise Refused("the repository does not show it")
        volume = self.volume
        hubs = {name: tuple(volume.hub_folders([name])) for name in volume.every_hub()}
        folders = {path for each in hubs.values() for path in each}
        looked_in = sorted(folders | {str(Path(path).parent) for path in folders})
        older = snapshots.of(self.options.stack, before)[-1:]
        there = {path for path in folders if Path(path).is_dir()} | volume.homes()
        had = repository.listed(older[0], looked_in) if older else set()
        homes = {str(volume.hub(name).homes) for name in hubs}
        kept = {path for path in had if path in folders or str(Path(path).parent) in homes}
        now = repository.listed(made[-1], looked_in)
        return made[-1], compare(hubs, frozenset(there), frozenset(kept), frozenset(now))

    def _forget(self) -> str:
        keep = [
            word for each, number in self.options.keep.items() for word in (f"--keep-{each}", str(number))
        ]
        which = ["--tag", self.options.stack, "--group-by", "tags"]
        done = self.restic.run("forget", "--quiet", *which, "--prune", "--keep-within", "1d", *keep)
        if done.code:
            return f"there is a new snapshot, but older ones were not removed: {done.last_word}"
        return ""

    def _note(self, *, made: bool, message: str, warning: str = "") -> None:
        hours = self.options.every_hours
        self.notes.note(ok=not message, made=made, message=message, warning=warning, every_hours=hours)


def refuse_if_links_lead_somewhere(options: Options) -> None:
    """Raises Refused where a user could lead root by a link: see `sight`."""
    if points := sight.followed(str(options.folder.root)):
        raise Refused(
            f"links on {', '.join(points)} cannot be kept from leading elsewhere, so users could get hold of "
            "others' files; it takes Linux 5.10 or later, and Docker must let the container mount"
        )


def _told(done: Done) -> str:
    if not (unread := done.unread):
        return ""
    return f"there is a new snapshot without {len(unread)} files that could not be read: {unread[0]}"
