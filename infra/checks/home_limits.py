"""Whether homes can be kept within `limits.homeGb`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hubconfig.options import limited_homes
from infra.engine import local_engine
from infra.machine.filesystem import Filesystem, filesystem
from infra.stack.clouds import LocalCloud
from infra.stack.faults import Fault
from infra.stack.sections import Sections


def faults(sections: Sections) -> Sequence[Fault]:
    """Limits of homes that the filesystem of the data folder cannot keep.

    Where that is not known yet, the container says it.
    """
    limited = limited_homes(sections.every_hub())
    found = data_filesystem(sections) if limited else None
    if found is None or found.limits_projects:
        return []
    return [
        Fault(
            f"{where}.limits.homeGb",
            f"needs project quotas, which the filesystem of {data_path(sections)} ({found}) does not have: "
            "use a disk made with mkfs.ext4 -O project,quota and mounted with prjquota, or remove homeGb",
        )
        for where in limited
    ]


def data_filesystem(sections: Sections) -> Filesystem | None:
    """What the data folder is on, if that is known."""
    if sections.capacity is not None:
        return sections.capacity.filesystem
    here = isinstance(sections.cloud, LocalCloud)
    if not here or not (local_engine().docker_host or "unix:").startswith("unix:"):
        return None  # on another machine, whose disks are not ours to look at
    return filesystem(data_path(sections))


def data_path(sections: Sections) -> Path:
    """The data folder on its machine."""
    return Path("" if sections.data_folder is None else sections.data_folder.root)
