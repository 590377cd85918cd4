"""Whether a backup can go where the settings say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from hubconfig.names import FIRST_HUB
from hubconfig.options import writable_spaces
from infra.checks.volume import volume
from infra.stack.faults import Fault
from infra.stack.stack_file import Parts


def backup_faults(parts: Parts, stack: str) -> Sequence[Fault]:
    """A repository among the files that go into it: each backup would hold all earlier ones."""
    settings, cloud = parts.get("backup"), parts.get("cloud")
    if settings is None or cloud is None or not settings.repository.startswith("/"):
        return []
    hubs = [hub for hub in (parts.get("hub"), *(parts.get("hubs") or {}).values()) if hub]
    folder = volume(cloud, stack)
    copied = [folder.hub(FIRST_HUB).homes, folder.cyberhub, *map(folder.shared, writable_spaces(hubs))]
    return [
        Fault("backup.repository", f"is inside {path}, which is backed up; name a folder elsewhere")
        for path in copied
        if PurePosixPath(settings.repository).is_relative_to(path)
    ]
