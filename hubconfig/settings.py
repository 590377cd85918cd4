"""The file that tells a hub of itself: the Pulumi program writes it, the hub reads it.

Imported on both sides; imports neither.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from hubconfig import container
from hubconfig.options import HubOptions
from hubconfig.section import Section
from hubconfig.setting_types import Name

SETTINGS_FILE = Path(container.SETTINGS_FILE)
"""Where a hub finds it, inside its container."""


class HubSettings(Section):
    """The file the hub reads at its start."""

    name: Name
    """The hub's name in its stack: `hub`, or that of a further hub."""
    stack: str
    options: HubOptions
    public_url: str
    """Where a browser finds the hub, with its base path and no slash at the end."""
    base_url: str
    """The base path: `/`, or `/astro/`."""
    user_domain: str | None = None
    """The domain in which each user's server has a host of its own; None: all have the hub's."""
    hub_host: str
    """The hub container's name on the users' network."""
    network: str
    """The Docker network of hub, proxy and users' servers."""
    user_prefix: str
    """What users' containers are called, before the user's name; nothing else may be called so."""
    homes_dir: str
    """The folder of homes, as the machine sees it."""
    space_dirs: dict[str, str]
    """Space name to its path, as the machine sees it."""
    images: dict[str, str]
    """Menu entry to the image that is on the machine."""
    servers_max: int = Field(ge=1)
    """Servers that may run at once."""
    images_kept: list[str]
    """Images of the whole stack that stay on the machine although no container may be using them."""
    images_prefix: str
    """What the names of our images begin with."""
    machine_is_ours: bool
    """Whether nothing but the stack uses the machine's Docker."""

    @classmethod
    def read(cls, path: Path) -> HubSettings:
        """The settings in a file.

        Raises ValueError when the file does not hold them, OSError when it cannot be read.
        """
        return cls.model_validate_json(path.read_bytes())

    def to_json(self) -> str:
        """The file's text."""
        return self.model_dump_json(by_alias=True, indent=1)
