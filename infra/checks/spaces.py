"""Whether folders of other machines can be mounted for users' servers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hubconfig.data_folder import DataFolder
from hubconfig.options import HubOptions, remote_spaces
from hubconfig.space_options import FolderSpace
from infra.checks.volume import volume
from infra.clouds.local import data_dir
from infra.machine.filesystem import mount_of
from infra.stack.clouds import LocalCloud
from infra.stack.faults import Fault
from infra.stack.stack_file import Parts


def space_faults(parts: Parts, stack: str) -> Sequence[Fault]:
    """Spaces that cannot be: folders of ours; remote ones without a secret, or where no mount is shared."""
    hubs = [hub for hub in (parts.get("hub"), *(parts.get("hubs") or {}).values()) if hub]
    cloud = parts.get("cloud")
    faults = [] if cloud is None else _folders_of_ours(parts, volume(cloud, stack))
    spaces = remote_spaces(hubs)
    if not spaces:
        return faults
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


def _folders_of_ours(parts: Parts, folder: DataFolder) -> list[Fault]:
    """Shared folders that are, by their whole path, in a folder of ours or around one."""
    hubs = {"hub": parts.get("hub"), **{f"hubs.{k}": v for k, v in (parts.get("hubs") or {}).items()}}
    return [
        Fault(f"{where}.spaces[{number}].source", why)
        for where, options in hubs.items()
        if isinstance(options, HubOptions)
        for number, space in enumerate(options.spaces)
        if isinstance(space, FolderSpace) and (why := folder.refusal(space.source))
    ]


def _unshared(folder: Path) -> str | None:
    """Why containers would not see what is mounted below a folder of this computer; None if they would."""
    mount = mount_of(folder)
    if mount is None:
        return "that takes Linux; mount the folder yourself"
    if mount.shared:
        return None
    return f"the mount at {mount.place} is not shared; run: sudo mount --make-shared {mount.place}"
