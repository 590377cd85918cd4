"""The repository of a stack's backups."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hubconfig.backup import restic as tool
from hubconfig.backup import snapshots
from hubconfig.backup.notes import Notes
from hubconfig.backup.options import Options, Refused
from hubconfig.backup.restic import Restic
from hubconfig.backup.snapshots import Snapshot


@dataclass(frozen=True)
class Repository:
    """One that was opened."""

    restic: Restic
    identity: str
    name: str

    def every(self) -> list[Snapshot]:
        """All its snapshots, oldest first. Raises Refused."""
        try:
            return snapshots.read(self.restic.must("snapshots", "--json"))
        except Refused as error:
            raise Refused(f"{self.name}: {error}") from None

    def listed(self, snapshot: Snapshot, folders: list[str]) -> set[str]:
        """The paths of some of its folders, and of what is directly in them. Raises Refused."""
        if not folders:
            return set()
        lines = self.restic.must("ls", "--json", snapshot.id, *folders).splitlines()
        found = (json.loads(line) for line in lines if line.startswith("{"))
        return {node["path"] for node in found if "path" in node and node.get("type")}


def open_repository(restic: Restic, options: Options, notes: Notes, *, make: bool = False) -> Repository:
    """Open the repository. Raises Refused.

    :param make: make it where there is none, unless one was there.
    """
    name = options.repository
    done = restic.first_word()
    if tool.is_missing(done):
        if notes.belongs_to() == name:
            raise Refused(
                f"the repository {name} is gone; bring it back (is its disk mounted?), or remove "
                "cyberhub/backup/joined on the data volume to begin a new one"
            )
        if not make:
            raise Refused(f"there is no repository at {name}")
        made = restic.run("init", "--quiet")
        if made.code:
            raise Refused(f"{name}: {made.last_word}")
        done = restic.first_word()
    if done.code:
        raise Refused(tool.why_closed(done, name))
    # Left by a restic that was killed; one whose restic lives is not touched.
    restic.run("unlock", "--quiet")
    return Repository(restic, json.loads(done.output)["id"], name)
