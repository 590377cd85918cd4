"""Containers that mount folders of other machines for users' servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_docker as docker

from hubconfig.settings import HubOptions, RcloneSpace, SshfsSpace
from infra.container import LOG_LIMITS, container_labels
from infra.faults import Fault
from infra.settings import LocalCloud
from infra.stack_file import Parts

FOLDER = "cyberhub/spaces"
"""Where remote folders are mounted, below the data volume."""

RemoteSpace = SshfsSpace | RcloneSpace


def remote_spaces(hubs: Sequence[HubOptions]) -> dict[str, RemoteSpace]:
    """The remote spaces of all hubs by name; two hubs may see the same one."""
    return {
        space.name: space
        for options in hubs
        for space in options.spaces
        if isinstance(space, SshfsSpace | RcloneSpace)
    }


def space_faults(parts: Parts) -> Sequence[Fault]:
    """Remote spaces that cannot work: without their secret, two under one name, or on this computer."""
    hubs = [hub for hub in (parts.get("hub"), *(parts.get("hubs") or {}).values()) if hub]
    spaces = remote_spaces(hubs)
    if not spaces:
        return []
    if isinstance(parts.get("cloud"), LocalCloud):
        return [
            Fault(
                "hub.spaces",
                "sshfs and rclone spaces need a machine of the hub's own; mount it yourself here",
            )
        ]
    faults = []
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


def space_container(
    space: RemoteSpace,
    *,
    name: str,
    stack: str,
    data_dir: str,
    image: pulumi.Output[str],
    keys: pulumi.Output[Mapping[str, str]],
    opts: pulumi.ResourceOptions,
) -> docker.Container:
    """Mount one remote folder. To mount is to administer the system: it alone has that capability.

    It reaches the remote, holds its key, and is on no network with users' servers.
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
            msg = (
                f"the space {space.name} has no secret; "
                f"run: pulumi config set --secret --path spaceKeys.{space.name} <FILE"
            )
            raise pulumi.RunError(msg)
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
                source=f"{data_dir}/{FOLDER}",
                target="/spaces",
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
