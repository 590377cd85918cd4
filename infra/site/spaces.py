"""Containers that mount folders of other machines for users' servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_docker as docker

from hubconfig.options import HubOptions
from hubconfig.space_options import RcloneSpace, SshfsSpace
from infra.clouds.local import data_dir
from infra.dock import LOG_LIMITS, container_labels
from infra.engine import Engine, UnreachableError
from infra.machine.filesystem import mount_of
from infra.stack.faults import Fault
from infra.stack.settings import LocalCloud
from infra.stack.stack_file import Parts

FOLDER = "cyberhub/spaces"
"""Where remote folders are mounted, below the data volume: NAME/remote. NAME itself is a plain folder,
which servers can be given also while the remote is gone."""

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


def folder_made(image: pulumi.Output[str], engine: pulumi.Output[Engine], folder: str) -> pulumi.Output[str]:
    """The image, once the folder is on the machine: Docker makes none for a mount that is shared."""

    def make(known: dict[str, object]) -> str:
        there, reference = known["engine"], str(known["image"])
        assert isinstance(there, Engine)  # noqa: S101 - tells mypy what the dictionary holds
        if not pulumi.runtime.is_dry_run():
            try:
                there.run("run", "--rm", "--volume", f"{folder}:/space", "--entrypoint", "true", reference)
            except UnreachableError as error:
                pulumi.log.warn(f"{folder} was not made: {error}")
        return reference

    return pulumi.Output.all(engine=engine, image=image).apply(make)


def space_container(
    space: RemoteSpace,
    *,
    name: str,
    stack: str,
    folder: str,
    image: pulumi.Output[str],
    keys: pulumi.Output[Mapping[str, str]],
    opts: pulumi.ResourceOptions,
) -> docker.Container:
    """Mount one remote folder. To mount is to administer the system: it alone has that capability.

    It reaches the remote, holds its key, and is on no network with users' servers.

    :param folder: on the machine; the remote is mounted in it as `remote`.
    """
    environment = {
        "KIND": space.kind,
        "NAME": space.name,
        "READ_ONLY": str(space.read_only).lower(),
        "REMOTE": space.remote,
    }
    if isinstance(space, SshfsSpace):
        environment |= {"HOST_KEY": space.host_key, "PORT": str(space.port)}

    def key(known: Mapping[str, str]) -> str:
        if space.name not in known:
            raise pulumi.RunError(
                f"the space {space.name} has no secret; "
                f"run: pulumi config set --secret --path spaceKeys.{space.name} <FILE"
            )
        return known[space.name].rstrip("\n") + "\n"

    return docker.Container(
        f"space-{space.name}",
        name=name,
        image=image,
        restart="unless-stopped",
        init=True,
        network_mode="bridge",
        capabilities=docker.ContainerCapabilitiesArgs(
            drops=["ALL"], adds=["CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN"]
        ),
        # Docker's AppArmor profile forbids every mount; the machine's own may not know the profile at all.
        security_opts=["no-new-privileges:true", "apparmor=unconfined"],
        devices=[
            docker.ContainerDeviceArgs(host_path="/dev/fuse", container_path="/dev/fuse", permissions="rwm")
        ],
        envs=[f"{key}={value}" for key, value in sorted(environment.items())],
        mounts=[
            docker.ContainerMountArgs(
                type="bind",
                source=folder,
                target="/space",
                # Mounts made inside must be seen outside.
                bind_options=docker.ContainerMountBindOptionsArgs(propagation="rshared"),
            )
        ],
        uploads=[
            docker.ContainerUploadArgs(
                file="/run/secrets/space_key",
                content=pulumi.Output.secret(keys.apply(key)),
                permissions="0600",
            )
        ],
        labels=container_labels(stack, "space"),
        log_driver="json-file",
        log_opts=LOG_LIMITS,
        destroy_grace_seconds=10,
        must_run=True,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
    )
