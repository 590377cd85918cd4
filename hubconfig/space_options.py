"""The folders that all users' servers see: what an administrator says of them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from hubconfig.data_folder import source_refusal
from hubconfig.host_key import host_key
from hubconfig.section import Section
from hubconfig.setting_types import ContainerPath, Name

_SYSTEM: Final = tuple(
    PurePosixPath(path)
    for path in (
        *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/run", "/sbin"),
        *("/sys", "/usr", "/srv/shared", "/srv/spaces", "/nix/store"),
        *("/opt/conda", "/opt/jupyter", "/opt/venv", "/opt/python", "/opt/R"),
        *("/var/cache", "/var/lib", "/var/lock", "/var/log", "/var/run", "/var/spool"),
        "/var/tmp",  # noqa: S108 - as /tmp
        "/tmp",  # noqa: S108 - nothing is written there; it is refused
    )
)
"""What a server's own programs need; nothing may be mounted there or below it."""

_WHOLE: Final = tuple(
    PurePosixPath(path) for path in ("/", "/home", "/home/user", "/nix", "/opt", "/srv", "/var")
)
"""Nothing may hide these as a whole; folders below them may be mounted."""

_ROOTS: Final = PurePosixPath("/root")
"""Some images have their user's home there."""


def _place(path: str) -> PurePosixPath:
    """A path without `..`, `.` and doubled slashes. Raises ValueError."""
    place = PurePosixPath("/", path.lstrip("/"))
    if ".." in place.parts:
        raise ValueError("may not contain '..'; write the whole path, such as /data")
    return place


def _is_systems(place: PurePosixPath) -> bool:
    return any(place.is_relative_to(ours) for ours in _SYSTEM)


def _mount(path: str) -> str:
    """A path at which a space hides nothing that a server needs. Raises ValueError with the way out."""
    place = _place(path)
    if place in _WHOLE or _is_systems(place) or place.is_relative_to(_ROOTS):
        raise ValueError(f"{place} would hide what servers need; choose a folder of its own, such as /data")
    return str(place)


def _home(path: str) -> str:
    """A path at which a home hides nothing that its image needs. Raises ValueError with the way out."""
    place = _place(path)
    if (place in _WHOLE and place != DEFAULT_HOME) or _is_systems(place):
        raise ValueError(
            f"{place} as a home would hide what servers need; name the home of the image's user, such as "
            "/home/jovyan"
        )
    return str(place)


DEFAULT_HOME: Final = PurePosixPath("/home/user")


def mount_refusal(mount: str, home: str) -> str | None:
    """Why a space may not be seen there by servers with this home; None if it may."""
    place, own = PurePosixPath(mount), PurePosixPath(home)
    if own.is_relative_to(place):
        return f"{mount} would hide the home {home}; choose a folder of its own, such as /data"
    if place.is_relative_to(own) and (first := place.relative_to(own).parts[0]).startswith("."):
        return (
            f"{mount} would hide {home}/{first}, where programs keep what is each person's own; choose "
            "another folder, such as /data"
        )
    return None


Home = Annotated[ContainerPath, AfterValidator(_home)]
"""Where servers see the home."""

Mount = Annotated[ContainerPath, AfterValidator(_mount)]
"""Where servers see a shared folder."""


class FolderSpace(Section):
    """A folder of the machine, seen by every user's server."""

    kind: Literal["folder"] = "folder"
    name: Name
    """What it is called in messages."""
    source: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]+$")]
    """Path on the machine; a relative one is below the data volume."""
    mount: Mount
    """Path inside the servers."""
    read_only: bool = True
    """Users may read but not write."""

    @model_validator(mode="after")
    def _stays_inside(self) -> Self:
        if why := source_refusal(self.source):
            raise ValueError(f"source {why}")
        return self


class SshfsSpace(Section):
    """A folder of another machine, mounted with sshfs. Needs the secret spaceKeys.NAME, a private key."""

    kind: Literal["sshfs"]
    name: Name
    """What it is called in messages, and the name of its key."""
    remote: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+@[A-Za-z0-9.:_-]+:/[^\s,]*$")]
    """`user@host:/path`."""
    port: int = Field(22, ge=1, le=65535)
    """Where its ssh listens."""
    host_key: Annotated[
        str,
        BeforeValidator(host_key),
        StringConstraints(pattern=r"^(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/=]+$"),
    ]
    """The only host key that is accepted, as `ssh-keyscan` prints it, with or without the name."""
    mount: Mount
    """Path inside the servers."""
    read_only: bool = True
    """Users may read but not write."""


class RcloneSpace(Section):
    """A remote that rclone knows (S3, Swift, WebDAV ...). Its secret: spaceKeys.NAME, rclone.conf text."""

    kind: Literal["rclone"]
    name: Name
    """What it is called in messages, and the name of its secret."""
    remote: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+:[^\s,]*$")]
    """`section:bucket/path` of the configuration in the secret."""
    mount: Mount
    """Path inside the servers."""
    read_only: bool = True
    """Users may read but not write."""


def _space_kind(value: object) -> object:
    return value.get("kind", "folder") if isinstance(value, dict) else getattr(value, "kind", None)


Space = Annotated[
    Annotated[FolderSpace, Tag("folder")]
    | Annotated[SshfsSpace, Tag("sshfs")]
    | Annotated[RcloneSpace, Tag("rclone")],
    Discriminator(_space_kind),
]
"""A folder of the machine unless its `kind` says otherwise."""
