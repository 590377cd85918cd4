"""The folders of the data volume: which there are, and what nobody else's folder may be called.

The one table of them, for the program, the hub and the backup, each of which sees the volume at a place
of its own. A folder of ours that is added here is thereby refused as a hub's name and as a shared folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import normpath
from types import MappingProxyType
from typing import Final

from hubconfig.names import FIRST_HUB

AUDIT: Final = "audit.log"
"""The audit trail in a hub's state; its older parts have a number behind."""

_CYBERHUB: Final = "cyberhub"
_HOMES: Final = "jupyterhub_users"

TOP: Final[Mapping[str, str]] = MappingProxyType(
    {
        _CYBERHUB: "what the hubs, the proxy and the backup keep",
        _HOMES: "the homes of the first hub",
        "restored": "what was fetched from a backup",
        "var": "Docker's own data",
        "tmp": "the machine's temporary files",
        "lost+found": "the filesystem's own",
    }
)
"""What is ours at the top of the volume. Everything else there is the administrator's, for shared folders."""

INSIDE: Final[Mapping[str, str]] = MappingProxyType(
    {
        FIRST_HUB: "the first hub's state and lists",
        "proxy": "the proxy's certificates",
        "tls": "a certificate of one's own",
        "spaces": "the folders of other machines",
        "space-tokens": "renewed sign-ins to other machines",
        "backup": "the backup's notes and copies of databases",
        "databases": "an older version's copies of databases",
        "machine-id": "the machine that used the volume last",
    }
)
"""What is ours in the folder `cyberhub`; a further hub has a folder of its name there."""


@dataclass(frozen=True)
class HubFolder:
    """What one hub keeps."""

    state: PurePosixPath
    """Its own memory."""
    access: PurePosixPath
    """Its lists."""
    homes: PurePosixPath
    """Its users' homes; further hubs have their own, as a name may be another person there."""

    @property
    def audit(self) -> PurePosixPath:
        """Who came and who was refused."""
        return self.state / AUDIT


@dataclass(frozen=True)
class DataFolder:
    """The data volume, as somebody sees it."""

    root: PurePosixPath

    @classmethod
    def at(cls, root: str) -> DataFolder:
        """The volume that is at a path."""
        return cls(PurePosixPath(root))

    @property
    def cyberhub(self) -> PurePosixPath:
        """The folder of all that is not users'."""
        return self.root / _CYBERHUB

    def hub(self, name: str) -> HubFolder:
        """One hub's folders. Raises ValueError for a name that is a folder of ours."""
        if why := hub_refusal(name):
            raise ValueError(why)
        own = self.cyberhub / name
        homes = self.root / _HOMES if name == FIRST_HUB else own / _HOMES
        return HubFolder(own / "state", own / "access", homes)

    @property
    def proxy(self) -> PurePosixPath:
        """The proxy's certificates and its authority."""
        return self.cyberhub / "proxy"

    @property
    def proxy_settings(self) -> PurePosixPath:
        """What the proxy is told by the settings, which are another stack's after a move: in no backup."""
        return self.proxy / "site"

    @property
    def tls(self) -> PurePosixPath:
        """A certificate of the administrator's own."""
        return self.cyberhub / "tls"

    def space(self, name: str) -> PurePosixPath:
        """The plain folder in which a folder of another machine is mounted."""
        return self.spaces / name

    def space_token(self, name: str) -> PurePosixPath:
        """Where the sign-in to remote storage is kept once it was renewed; root's own."""
        return self.space_tokens / name

    @property
    def space_tokens(self) -> PurePosixPath:
        """All renewed sign-ins, in no backup: they are renewed again from what the stack file has."""
        return self.cyberhub / "space-tokens"

    @property
    def spaces(self) -> PurePosixPath:
        """All folders of other machines."""
        return self.cyberhub / "spaces"

    @property
    def backup(self) -> PurePosixPath:
        """What the backup notes; root's own."""
        return self.cyberhub / "backup"

    @property
    def staging(self) -> PurePosixPath:
        """Copies of databases while a backup is made: in a folder where nobody else writes."""
        return self.backup / "staging"

    @property
    def former_staging(self) -> PurePosixPath:
        """Where such copies are in snapshots of older versions."""
        return self.cyberhub / "databases"

    @property
    def restored(self) -> PurePosixPath:
        """What was fetched from a backup."""
        return self.root / "restored"

    def shared(self, source: str) -> PurePosixPath:
        """A shared folder: a relative path is on the volume, another one anywhere on the machine."""
        return self.root / source

    def refusal(self, source: str) -> str | None:
        """Why a shared folder may not be at this path, wherever it is on the machine; None if it may.

        :param source: as the settings write it.
        """
        if why := source_refusal(source):
            return why
        path = PurePosixPath(normpath(self.shared(source)))
        for name, what in TOP.items():
            ours = self.root / name
            if path.is_relative_to(ours):
                return f"is in {ours}, which holds {what}; name another folder"
            if ours.is_relative_to(path):
                return f"holds {ours}, where is {what}; name a folder beside it"
        return None


def hub_refusal(name: str) -> str | None:
    """Why a further hub may not have this name; None if it may, and for the first hub's own."""
    if name == FIRST_HUB or name not in INSIDE:
        return None
    return f"{name} is a folder of the data volume that holds {INSIDE[name]}; choose another name"


def source_refusal(source: str) -> str | None:
    """Why a shared folder may not be at this path of the volume; None if it may.

    :param source: as the settings write it; an absolute path is not on the volume.
    """
    if source.startswith("/"):
        return None
    parts = PurePosixPath(source).parts
    if ".." in parts:
        return "may not contain '..'"
    if not parts:
        return "is the whole data volume; name a folder of it, such as data"
    if parts[0] in TOP:
        return f"{parts[0]} on the data volume holds {TOP[parts[0]]}; name another folder, such as data"
    return None
