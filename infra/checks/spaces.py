"""Whether the folders that settings share can be mounted for users' servers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hubconfig.options import remote_spaces
from hubconfig.space_options import FolderSpace
from infra.machine.filesystem import mount_of
from infra.stack.clouds import LocalCloud
from infra.stack.faults import Fault
from infra.stack.sections import Sections


def faults(sections: Sections) -> Sequence[Fault]:
    """Spaces that cannot be: folders of ours; remote ones of two kinds, or where no mount is shared."""
    hubs = [*sections.every_hub().values()]
    told = _folders_of_ours(sections)
    spaces = remote_spaces(hubs)
    folder = sections.data_folder
    if spaces and folder is not None and isinstance(sections.cloud, LocalCloud):
        told += [
            Fault("hub.spaces", f"sshfs and rclone spaces cannot be seen by servers here: {why}")
            for why in [_unshared(Path(folder.root))]
            if why
        ]
    different = sorted(
        name
        for name, space in spaces.items()
        if any(other.name == name and other != space for hub in hubs for other in hub.spaces)
    )
    return told + [
        Fault("hub.spaces", f"{name} is there twice and not the same; rename one") for name in different
    ]


def _folders_of_ours(sections: Sections) -> list[Fault]:
    """Shared folders that are, by their whole path, in a folder of ours or around one."""
    folder = sections.data_folder
    if folder is None:
        return []
    return [
        Fault(f"{where}.spaces[{number}].source", why)
        for where, options in sections.every_hub().items()
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
