"""What the checks look at: a stack file's sections, as far as they could be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hubconfig.data_folder import DataFolder
from hubconfig.options import HubOptions
from infra.machine.capacity import Capacity
from infra.stack.clouds import Cloud
from infra.stack.faults import Fault
from infra.stack.settings import Backup, Images, Network, Settings, Web


@dataclass(frozen=True, kw_only=True)
class Sections:
    """A section with faults of its own is None, so that these do not hide what is wrong with another."""

    stack: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Key to value of the secrets that are set; `spaceKeys.archive` where a key is a mapping."""
    capacity: Capacity | None = None
    """Of the machine; None before its cloud was asked."""
    cloud: Cloud | None = None
    web: Web | None = None
    network: Network | None = None
    images: Images | None = None
    backup: Backup | None = None
    """None also where there are to be no backups."""
    hub: HubOptions | None = None
    hubs: Mapping[str, HubOptions] | None = None
    """Further ones."""

    @classmethod
    def of(cls, settings: Settings, stack: str, capacity: Capacity) -> Sections:
        """All of them, beside the machine that they are for."""
        values: dict[str, Any] = {name: getattr(settings, name) for name in Settings.model_fields}
        return cls(stack=stack, capacity=capacity, **values)

    def every_hub(self) -> dict[str, HubOptions]:
        """The hubs that could be read, each by its place in the file: `hub`, `hubs.astro`."""
        first = {"hub": self.hub} if self.hub is not None else {}
        return {**first, **{f"hubs.{name}": options for name, options in (self.hubs or {}).items()}}

    @property
    def data_folder(self) -> DataFolder | None:
        """The data volume as its machine will see it; None while the cloud is not known."""
        return None if self.cloud is None else DataFolder.at(self.cloud.data_path(self.stack))


Check = Callable[[Sections], Sequence[Fault]]
"""Looks at sections, and at this computer, and says what cannot work. It makes nothing."""
