"""The container that copies a site's data elsewhere, on a timer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import pulumi
import pulumi_docker as docker

from hubconfig import container
from hubconfig.options import HubOptions
from hubconfig.space_options import FolderSpace
from infra.clouds.local import data_dir
from infra.clouds.remote import DATA_DIR
from infra.dock import Dock, secret_uploads
from infra.host import Host
from infra.images.contexts import ROOT
from infra.stack.clouds import LocalCloud, ServerCloud
from infra.stack.faults import Fault
from infra.stack.settings import Backup
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
    secrets: dict[str, pulumi.Output[str]],
) -> docker.Container:
    """Put the backup on the machine.

    It reads every home, so it is root. What it is allowed beyond that it gives up once links on the data
    volume lead nowhere (see `hubconfig.backup.sight`), before it looks at what users made.
    """
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
                *(
                    docker.ContainerUploadArgs(
                        file=f"{container.CODE}/hubconfig/{file}",
                        content=(ROOT / "hubconfig" / file).read_text(),
                    )
                    for file in code()
                ),
            ],
            destroy_grace_seconds=10,
        ),
        rights=RIGHTS,
        # Where there is AppArmor, Docker's profile forbids to mount.
        security=["apparmor=unconfined"],
    )


def writable_spaces(hubs: list[HubOptions]) -> list[str]:
    """The folders that users write to, as paths on the data volume.

    Read-only spaces came from somewhere and can be had there again; they may be very large.
    """
    paths = {
        str(PurePosixPath(space.source))
        for options in hubs
        for space in options.spaces
        if isinstance(space, FolderSpace) and not space.read_only and not space.source.startswith("/")
    }
    return sorted(paths)
