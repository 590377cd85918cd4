"""The container that copies a site's data elsewhere, on a timer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import pulumi
import pulumi_docker as docker

from hubconfig.options import HubOptions
from hubconfig.space_options import FolderSpace
from infra.clouds.local import data_dir
from infra.clouds.remote import DATA_DIR
from infra.dock import Dock, secret_uploads
from infra.host import Host
from infra.stack.faults import Fault
from infra.stack.settings import Backup, LocalCloud, ServerCloud
from infra.stack.stack_file import Parts


def backup_faults(parts: Parts, stack: str) -> Sequence[Fault]:
    """A repository among the files that go into it: each backup would hold all earlier ones."""
    settings, cloud = parts.get("backup"), parts.get("cloud")
    if settings is None or cloud is None or not settings.repository.startswith("/"):
        return []
    if isinstance(cloud, LocalCloud):
        volume = str(data_dir(cloud, stack))
    else:
        volume = cloud.data_dir if isinstance(cloud, ServerCloud) else DATA_DIR
    hubs = [hub for hub in (parts.get("hub"), *(parts.get("hubs") or {}).values()) if hub]
    copied = [f"{volume}/{path.removeprefix('/data/')}" for path in (*ALWAYS, *writable_spaces(hubs))]
    return [
        Fault("backup.repository", f"is inside {path}, which is backed up; name a folder elsewhere")
        for path in copied
        if PurePosixPath(settings.repository).is_relative_to(path)
    ]


ALWAYS = ("/data/jupyterhub_users", "/data/cyberhub")
"""What is backed up of every stack, as the backup sees it."""


def backup_container(
    dock: Dock,
    host: Host,
    settings: Backup,
    hubs: list[HubOptions],
    image: pulumi.Output[str],
    secrets: dict[str, pulumi.Output[str]],
) -> docker.Container:
    """Put the backup on the machine. It reads every home, so it is root, with no other privilege."""
    volumes = {host.data_dir: "/data"}
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
            init=True,
            network_mode="bridge",
            envs=[
                f"EVERY_HOURS={settings.every_hours}",
                f"KEEP_DAILY={settings.keep_daily}",
                f"KEEP_MONTHLY={settings.keep_monthly}",
                f"KEEP_WEEKLY={settings.keep_weekly}",
                f"MORE_PATHS={' '.join(writable_spaces(hubs))}",
                f"REPOSITORY={settings.repository}",
                f"RESTIC_REPOSITORY={repository}",
                f"STACK={dock.stack}",
            ],
            volumes=[
                docker.ContainerVolumeArgs(host_path=there, container_path=inside)
                for there, inside in volumes.items()
            ],
            uploads=secret_uploads(secrets),
            destroy_grace_seconds=10,
        ),
        # To read and to give back what belongs to others; FSETID for the mode of shared folders, whose
        # new files keep the group.
        rights=["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"],
    )


def writable_spaces(hubs: list[HubOptions]) -> list[str]:
    """The folders on the data volume that users write to, as the backup sees them.

    Read-only spaces came from somewhere and can be had there again; they may be very large.
    """
    paths = {
        str(PurePosixPath("/data") / space.source)
        for options in hubs
        for space in options.spaces
        if isinstance(space, FolderSpace) and not space.read_only and not space.source.startswith("/")
    }
    return sorted(paths)
