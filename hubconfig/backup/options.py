"""What the backup is told: by the container's variables, and by the administrator's credentials."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hubconfig.data_folder import DataFolder

PASSWORD = Path("/run/secrets/backup_password")
CREDENTIALS = Path("/run/secrets/backup_credentials")


VOLUME = DataFolder.at("/data")


class Refused(Exception):  # noqa: N818 - nothing is wrong here; it is an answer
    """Something is not done; the text says why, and what to do."""


@dataclass(frozen=True)
class Options:
    """What is backed up, where to, how often, and how long it is kept."""

    stack: str
    place: str
    """The repository, as restic reaches it from here."""
    repository: str
    """Its name for people."""
    hubs: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    """Shared folders that users write to, as paths on the volume."""
    every_hours: int = 24
    keep: Mapping[str, int] = field(default_factory=dict)
    """How many daily, weekly and monthly snapshots are kept."""
    folder: DataFolder = VOLUME

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Options:
        """What the container's variables say. Raises Refused."""
        place = environment.get("RESTIC_REPOSITORY", "")
        if not place:
            raise Refused("RESTIC_REPOSITORY does not say where backups go")
        if not (stack := environment.get("STACK", "")):
            raise Refused("STACK does not say whose backups these are")
        usual = {"daily": 7, "weekly": 4, "monthly": 6}
        return cls(
            stack=stack,
            place=place,
            repository=environment.get("REPOSITORY") or place,
            hubs=tuple(environment.get("HUBS", "").split()),
            shared=tuple(json.loads(environment.get("SHARED") or "[]")),
            every_hours=int(environment.get("EVERY_HOURS") or 24),
            keep={each: int(environment.get(f"KEEP_{each.upper()}") or usual[each]) for each in usual},
        )


def credentials(text: str) -> dict[str, str]:
    """The variables for restic that the administrator wrote as lines NAME=value.

    The last line may have no end, lines may end as Windows ends them, and a value may have a `=`.
    Raises Refused, without the line, as it may be half a secret.
    """
    found = {}
    for ended in text.split("\n"):
        line = ended.removesuffix("\r")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or "\0" in line or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise Refused("backupCredentials has a line that is not NAME=value")
        found[name] = value
    return found
