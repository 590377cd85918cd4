"""Whether a backup can go where the settings say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from hubconfig.names import FIRST_HUB
from hubconfig.options import writable_spaces
from infra.stack.faults import Fault
from infra.stack.sections import Sections


def faults(sections: Sections) -> Sequence[Fault]:
    """A repository among the files that go into it: each backup would hold all earlier ones."""
    backup, folder = sections.backup, sections.data_folder
    if backup is None or folder is None or not backup.repository.startswith("/"):
        return []
    shared = writable_spaces([*sections.every_hub().values()])
    copied = [folder.hub(FIRST_HUB).homes, folder.cyberhub, *map(folder.shared, shared)]
    return [
        Fault("backup.repository", f"is inside {path}, which is backed up; name a folder elsewhere")
        for path in copied
        if PurePosixPath(backup.repository).is_relative_to(path)
    ]
