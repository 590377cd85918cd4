"""Containers that mount folders of other machines for users' servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_docker as docker

from hubconfig.data_folder import DataFolder
from hubconfig.options import HubOptions
from hubconfig.space_options import RcloneSpace, SshfsSpace
from infra.clouds.local import data_dir
from infra.dock import Dock, secret_uploads
from infra.engine import Engine
from infra.host import Host
from infra.machine.filesystem import mount_of
from infra.stack.clouds import LocalCloud
from infra.stack.faults import Fault
from infra.stack.stack_file import Parts

RemoteSpace = SshfsSpace | RcloneSpace


def remote_spaces(hubs: Sequence[HubOptions]) -> dict[str, RemoteSpace]:
    """The remote spaces of all hubs by name; two hubs may see the same one."""
    return {
        space.name: space
        for options in hubs
        for space in options.spaces
        if isinstance(space, SshfsSpace | RcloneSpace)
    }


def space_faults(parts: Parts, stack: str) -> Sequence[Fault]:
    """Remote spaces that cannot work: without a secret, two under one name, where no mount is shared."""
    hubs = [hub for hub in (parts.get("hub"), *(parts.get("hubs") or {}).values()) if hub]
    spaces = remote_spaces(hubs)
    if not spaces:
        return []
    faults = []
    cloud = parts.get("cloud")
    if isinstance(cloud, LocalCloud) and (why := _unshared(data_dir(cloud, stack))):
        faults.append(Fault("hub.spaces", f"sshfs and rclone spaces cannot be seen by servers here: {why}"))
    if "spaceKeys" not in parts.given_secrets:
        name = min(spaces)
        faults.append(
            Fault(
                "spaceKeys",
                f"the space {name} needs one; run: pulumi config set --secret --path spaceKeys.{name} <FILE",
            )
        )
    different = sorted(
        name
        for name, space in spaces.items()
        if any(other.name == name and other != space for hub in hubs for other in hub.spaces)
    )
    faults += [
        Fault("hub.spaces", f"{name} is there twice and not the same; rename one") for name in different
    ]
    return faults


def _unshared(folder: Path) -> str | None:
    """Why containers would not see what is mounted below a folder of this computer; None if they would."""
    mount = mount_of(folder)
    if mount is None:
        return "that takes Linux; mount the folder yourself"
    if mount.shared:
        return None
    return f"the mount at {mount.place} is not shared; run: sudo mount --make-shared {mount.place}"


def space_container(
    dock: Dock,
    host: Host,
    space: RemoteSpace,
    image: pulumi.Output[str],
    keys: pulumi.Output[Mapping[str, str]],
) -> docker.Container:
    """Mount one remote folder. To mount is to administer the system: it alone has that capability.

    It reaches the remote, holds its key, and is on no network with users' servers.
    """
    folder = str(DataFolder.at(host.data_dir).space(space.name))
    environment = {
        "KIND": space.kind,
        "NAME": space.name,
        "READ_ONLY": str(space.read_only).lower(),
        "REMOTE": space.remote,
    }
    if isinstance(space, SshfsSpace):
        environment |= {"HOST_KEY": space.host_key, "PORT": str(space.port)}

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
            envs=[f"{name}={value}" for name, value in sorted(environment.items())],
            mounts=[
                docker.ContainerMountArgs(
                    type="bind",
                    source=folder,
                    target="/space",
                    # Mounts made inside must be seen outside.
                    bind_options=docker.ContainerMountBindOptionsArgs(propagation="rshared"),
                )
            ],
            uploads=secret_uploads({"space_key": keys.apply(lambda known: _key(space.name, known))}),
            destroy_grace_seconds=10,
        ),
        rights=["DAC_OVERRIDE", "SYS_ADMIN"],
        # Docker's AppArmor profile forbids every mount; the machine's own may not know the profile at all.
        security=["apparmor=unconfined"],
    )


def _key(space: str, keys: Mapping[str, str]) -> str:
    if space not in keys:
        raise pulumi.RunError(
            f"the space {space} has no secret; run: pulumi config set --secret --path spaceKeys.{space} <FILE"
        )
    return keys[space].rstrip("\n") + "\n"
