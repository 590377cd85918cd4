"""Secrets of a stack: the table of those there are, and what one stack has of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pulumi

from hubconfig.options import HubOptions, remote_spaces
from hubconfig.secret_files import ADMIN_PASSWORD_MIN, TOKEN_MIN, USER_PASSWORD_MIN
from hubconfig.space_options import RcloneSpace, SshfsSpace
from infra.handed_over.backup_credentials import backup_credentials
from infra.handed_over.rclone_conf import rclone_conf
from infra.handed_over.ssh_key import ssh_key
from infra.handed_over.text import HandedOverError, one_line, password
from infra.stack.settings import Settings

_GENERATED_BYTES: Final = 24
"""192 bits: 32 characters, as many as JupyterHub wants of an administrator's password."""


def _refusal(read: Callable[[str], str], given: str) -> str | None:
    try:
        read(given)
    except HandedOverError as error:
        return str(error)
    return None


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A key of the stack file that is encrypted there, and in the state."""

    key: str
    what: str
    """What it is for: its line in the settings reference."""
    changing: str
    """What changing it later does, as there."""
    file: str = ""
    """The file in which a container gets it; empty: not as it is."""
    made: bool = False
    """Made by the program when nobody gives it, kept in the stack's outputs, and told by them."""
    by_name: bool = False
    """A mapping of names to secrets."""
    read: Callable[[str], str] = one_line
    """Makes of what was given what a container gets. Raises HandedOverError for what it could not use."""

    def refusal(self, given: str) -> str | None:
        """Why this value may not be, without a word of it; None if it may."""
        return _refusal(self.read, given)

    @property
    def command(self) -> str:
        """What gives it."""
        return f"pulumi config set --secret {self.key} VALUE"


CLIENT_ID: Final = Secret(
    key="oauthClientId",
    file="oauth_client_id",
    what="The OAuth client id, unless `auth.kind` is `sharedPassword`.",
    changing="The hub restarts.",
)
CLIENT_SECRET: Final = Secret(
    key="oauthClientSecret",
    file="oauth_client_secret",
    what="Its client secret.",
    changing="The hub restarts.",
)
SHARED_PASSWORD: Final = Secret(
    key="sharedPassword",
    file="shared_password",
    made=True,
    what="For `sharedPassword` sign-in, 8 characters or more; else made.",
    read=partial(password, shortest=USER_PASSWORD_MIN),
    changing="The hub restarts.",
)
ADMIN_PASSWORD: Final = Secret(
    key="adminPassword",
    file="admin_password",
    made=True,
    what="The administrators' own, 32 characters or more; else made.",
    read=partial(password, shortest=ADMIN_PASSWORD_MIN),
    changing="The hub restarts.",
)
METRICS_TOKEN: Final = Secret(
    key="metricsToken",
    file="metrics_token",
    made=True,
    what="What Prometheus shows to read metrics, 8 characters or more; else made.",
    read=partial(password, shortest=TOKEN_MIN),
    changing="The hub restarts.",
)
SPACE_KEYS: Final = Secret(
    key="spaceKeys",
    by_name=True,
    what="Remote space to its private key or rclone.conf.",
    changing="That space is mounted anew.",
)
BACKUP_PASSWORD: Final = Secret(
    key="backupPassword",
    file="backup_password",
    made=True,
    what="Encrypts the backups; else made. Keep a copy elsewhere.",
    changing="Old backups keep the old one.",
)
BACKUP_CREDENTIALS: Final = Secret(
    key="backupCredentials",
    file="backup_credentials",
    what="Lines NAME=value that restic needs for a remote place.",
    read=backup_credentials,
    changing="The next backup uses them.",
)

TABLE: Final = (
    CLIENT_ID,
    CLIENT_SECRET,
    SHARED_PASSWORD,
    ADMIN_PASSWORD,
    METRICS_TOKEN,
    SPACE_KEYS,
    BACKUP_PASSWORD,
    BACKUP_CREDENTIALS,
)
"""All there are: top-level keys, as an object would lose its secrecy."""


def space_key_command(space: str) -> str:
    """What gives a folder of another machine its secret."""
    return f"pulumi config set --secret --path {SPACE_KEYS.key}.{space} <FILE"


def space_key(space: SshfsSpace | RcloneSpace, given: str) -> str:
    """What the container of a folder of another machine gets. Raises HandedOverError."""
    return ssh_key(given) if isinstance(space, SshfsSpace) else rclone_conf(given, space.remote)


def space_key_refusal(space: SshfsSpace | RcloneSpace, given: str) -> str | None:
    """Why this may not be the space's secret, without a word of it; None if it may."""
    return _refusal(partial(space_key, space), given)


def read_by(options: HubOptions) -> list[Secret]:
    """What a hub with these settings reads."""
    if options.auth.kind == "sharedPassword":
        found = [SHARED_PASSWORD, *([ADMIN_PASSWORD] if options.admins else [])]
    else:
        found = [CLIENT_ID, CLIENT_SECRET]
    return [*found, *([METRICS_TOKEN] if options.metrics else [])]


Files = Mapping[str, pulumi.Output[str]]
"""File name to content of what a container reads."""


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What one stack has. Hubs that read the same secret have one value of it."""

    hubs: Mapping[str, Files]
    """Hub to what it reads."""
    backup: Files
    space_keys: pulumi.Output[Mapping[str, str]]
    """Remote space to its private key or rclone.conf."""
    made: Mapping[str, pulumi.Output[str]]
    """Key to value of those that nobody need choose: the stack's outputs, by which they stay the same."""


def gather(config: pulumi.Config, settings: Settings, last: Mapping[str, Any]) -> Secrets:
    """The secrets that these settings ask for: given, else as they were, else made.

    :param last: the outputs of the stack's last update; empty before the first.

    Raises pulumi.ConfigMissingError for one that only a person can give; checks ask for it first.
    """
    hubs = {name: read_by(options) for name, options in settings.every_hub.items()}
    backup = [] if settings.backup is None else [BACKUP_PASSWORD]
    if backup and config.get_secret(BACKUP_CREDENTIALS.key) is not None:
        backup.append(BACKUP_CREDENTIALS)
    asked = {one.key: one for several in [*hubs.values(), backup] for one in several}
    values = {
        key: _kept_or_made(config, one, last) if one.made else config.require_secret(key).apply(one.read)
        for key, one in asked.items()
    }
    remote = remote_spaces([*settings.every_hub.values()])
    return Secrets(
        hubs={name: {one.file: values[one.key] for one in read} for name, read in hubs.items()},
        backup={one.file: values[one.key] for one in backup},
        space_keys=_space_keys(config, remote) if remote else pulumi.Output.from_input({}),
        made={key: values[key] for key, one in asked.items() if one.made},
    )


def _space_keys(
    config: pulumi.Config, spaces: Mapping[str, SshfsSpace | RcloneSpace]
) -> pulumi.Output[Mapping[str, str]]:
    def known(given: Mapping[str, str]) -> Mapping[str, str]:
        return {name: space_key(space, given[name]) for name, space in spaces.items()}

    found: pulumi.Output[Mapping[str, str]] = config.require_secret_object(SPACE_KEYS.key).apply(known)
    return found


def _kept_or_made(config: pulumi.Config, one: Secret, last: Mapping[str, Any]) -> pulumi.Output[str]:
    given = config.get_secret(one.key)
    if given is not None:
        return given.apply(one.read)
    return pulumi.Output.secret(str(last.get(one.key) or secrets.token_urlsafe(_GENERATED_BYTES)))
