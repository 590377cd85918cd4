"""Whether homes can be kept within `limits.homeGb`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hubconfig.names import FIRST_HUB
from hubconfig.options import HubOptions, limited_homes
from infra.clouds.local import data_dir
from infra.engine import local_engine
from infra.machine.filesystem import Filesystem, filesystem
from infra.stack.clouds import LocalCloud
from infra.stack.faults import Fault
from infra.stack.stack_file import Parts


def unlimitable(hubs: Mapping[str, HubOptions | None], folder: str, found: Filesystem | None) -> list[Fault]:
    """Limits of homes that the filesystem of the data folder cannot keep.

    :param found: None where that is not known yet; the container says it then.
    """
    if found is None or found.limits_projects:
        return []
    return [
        Fault(
            f"{'hub' if name == FIRST_HUB else f'hubs.{name}'}.limits.homeGb",
            f"needs project quotas, which the filesystem of {folder} ({found}) does not have: use a disk "
            "made with mkfs.ext4 -O project,quota and mounted with prjquota, or remove homeGb",
        )
        for name in limited_homes(hubs)
    ]


def local_home_faults(parts: Parts, stack: str) -> Sequence[Fault]:
    """Limits of homes that this computer cannot keep."""
    cloud = parts.get("cloud")
    hubs = {FIRST_HUB: parts.get("hub"), **(parts.get("hubs") or {})}
    if not isinstance(cloud, LocalCloud) or not limited_homes(hubs):
        return []
    if not (local_engine().docker_host or "unix:").startswith("unix:"):
        return []  # Docker is on another machine, whose disks are not ours to look at
    folder = data_dir(cloud, stack)
    return unlimitable(hubs, str(folder), filesystem(folder))
