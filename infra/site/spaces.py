"""Containers that mount folders of other machines for users' servers."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_docker as docker

from hubconfig.data_folder import DataFolder
from hubconfig.space_options import RcloneSpace, SshfsSpace
from infra.dock import Dock, secret_uploads
from infra.engine import Engine
from infra.host import Host


def space_container(
    dock: Dock,
    host: Host,
    space: SshfsSpace | RcloneSpace,
    image: pulumi.Output[str],
    keys: pulumi.Output[Mapping[str, str]],
) -> docker.Container:
    """Mount one remote folder. To mount is to administer the system: it alone has that capability.

    It reaches the remote, holds its key, and is on no network with users' servers.
    """
    data = DataFolder.at(host.data_dir)
    folder = str(data.space(space.name))

    def make_folder(engine: Engine, reference: str) -> str:
        # Docker makes none for a mount that is shared.
        engine.run("run", "--rm", "--volume", f"{folder}:/space", "--entrypoint", "true", reference)
        return reference

    return dock.container(
        f"space-{space.name}",
        "space",
        docker.ContainerArgs(
            name=dock.names.space(space.name),
            image=dock.once(image, make_folder, lambda _: f"{folder} was not made"),
            init=True,
            network_mode="bridge",
            devices=[
                docker.ContainerDeviceArgs(
                    host_path="/dev/fuse", container_path="/dev/fuse", permissions="rwm"
                )
            ],
            envs=[f"{name}={value}" for name, value in sorted(_environment(space).items())],
            mounts=[
                docker.ContainerMountArgs(
                    type="bind",
                    source=folder,
                    target="/space",
                    # Mounts made inside must be seen outside.
                    bind_options=docker.ContainerMountBindOptionsArgs(propagation="rshared"),
                )
            ],
            volumes=_kept(data, space),
            uploads=secret_uploads({"space_key": keys.apply(lambda known: known[space.name])}),
            destroy_grace_seconds=10,
        ),
        rights=["DAC_OVERRIDE", "SYS_ADMIN"],
        # Docker's AppArmor profile forbids every mount; the machine's own may not know the profile at all.
        security=["apparmor=unconfined"],
    )


def _environment(space: SshfsSpace | RcloneSpace) -> dict[str, str]:
    environment = {
        "KIND": space.kind,
        "NAME": space.name,
        "READ_ONLY": str(space.read_only).lower(),
        "REMOTE": space.remote,
    }
    if isinstance(space, SshfsSpace):
        environment |= {"HOST_KEY": space.host_key, "PORT": str(space.port)}
    return environment


def _kept(data: DataFolder, space: SshfsSpace | RcloneSpace) -> list[docker.ContainerVolumeArgs]:
    """Where rclone writes a sign-in that it has renewed: OneDrive's and Google's end otherwise."""
    if isinstance(space, SshfsSpace):
        return []
    place = str(data.space_token(space.name))
    return [docker.ContainerVolumeArgs(host_path=place, container_path="/kept")]
