"""The container that copies a site's data elsewhere, on a timer."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_docker as docker

from hubconfig.backup.options import VOLUME
from hubconfig.options import HubOptions, writable_spaces
from infra.dock import Dock, code_uploads, secret_uploads
from infra.host import Host
from infra.images.contexts import ROOT
from infra.site import bounds
from infra.stack.secrets import Files
from infra.stack.settings import Backup

RIGHTS = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETPCAP", "SYS_ADMIN")
"""What the backup's container starts with.

To read and to give back what belongs to others (FSETID for the mode of shared folders, whose new files keep
the group); the last two to refuse links, and to give up what that takes."""


def code() -> list[str]:
    """All that the backup's container runs, as paths in `hubconfig`.

    Docker's provider puts no empty file anywhere; Python takes folders without one for packages, too.
    """
    folder = ROOT / "hubconfig"
    own = sorted((folder / "backup").glob("*.py"))
    files = [folder / "data_folder.py", folder / "names.py", *own]
    return [file.relative_to(folder).as_posix() for file in files if file.stat().st_size]


def backup_container(
    dock: Dock,
    host: Host,
    settings: Backup,
    hubs: Mapping[str, HubOptions],
    image: pulumi.Output[str],
    secrets: Files,
) -> docker.Container:
    """Put the backup on the machine.

    It reads every home, so it is root. What it is allowed beyond that it gives up once links on the data
    volume lead nowhere (see `hubconfig.backup.sight`), before it looks at what users made.
    """
    volumes = {host.data_dir: str(VOLUME.root)}
    repository = settings.repository
    if repository.startswith("/"):
        volumes[repository] = "/repository"
        repository = "/repository"
    return dock.container(
        "backup",
        "backup",
        docker.ContainerArgs(
            name=dock.names.backup,
            image=image,
            memory=bounds.BACKUP.memory_mb(host.memory_mb),
            memory_swap=bounds.BACKUP.with_swap_mb(host.memory_mb),
            init=True,
            network_mode="bridge",
            envs=[
                f"EVERY_HOURS={settings.every_hours}",
                f"KEEP_DAILY={settings.keep_daily}",
                f"KEEP_MONTHLY={settings.keep_monthly}",
                f"KEEP_WEEKLY={settings.keep_weekly}",
                f"HUBS={' '.join(sorted(hubs))}",
                f"REPOSITORY={settings.repository}",
                f"RESTIC_REPOSITORY={repository}",
                f"SHARED={json.dumps(writable_spaces([*hubs.values()]))}",
                f"STACK={dock.stack}",
            ],
            volumes=[
                docker.ContainerVolumeArgs(host_path=there, container_path=inside)
                for there, inside in volumes.items()
            ],
            uploads=[
                *secret_uploads(secrets),
                *code_uploads(code()),
            ],
            destroy_grace_seconds=10,
        ),
        rights=RIGHTS,
        # Where there is AppArmor, Docker's profile forbids to mount.
        security=["apparmor=unconfined"],
    )
