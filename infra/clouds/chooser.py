"""What clouds that make machines are asked in one way: what a stack has there, and what it takes over."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from infra.clouds import data_volume
from infra.clouds.asking import NotThereError
from infra.clouds.data_volume import Volume
from infra.clouds.remote import tell_of_sleep
from infra.stack.clouds import MachineCloud
from infra.stack.faults import Fault

Outputs = Mapping[str, Any]

V = TypeVar("V", bound=Volume)


@dataclass(frozen=True, kw_only=True)
class Already:
    """What a stack has in its cloud before this update."""

    adopt: str | None
    """A volume to take over as the data volume."""
    has_machine: bool
    """The stack has a machine, which runs with the keys that were made for it."""
    not_running: str | None
    """The id of that machine when it is stopped or gone."""


class Chooser(ABC, Generic[V]):
    """Looks in a cloud for what the settings name, and collects all that is wrong with them."""

    RUNNING: ClassVar[str]
    """The cloud's word for a machine that runs."""

    def __init__(
        self, cloud: MachineCloud, stack: str, in_state: Mapping[str, Outputs], *, machine: str, volume: str
    ) -> None:
        """Choose for a stack.

        :param in_state: the stack's resources after its last update.
        :param machine: the type's token of a machine.
        :param volume: that of a volume.
        """
        self._wanted_gb = cloud.data_gb
        self._named = cloud.data_volume_id
        self._volume_name = data_volume.name(stack)
        self._machine = outputs(in_state, machine)
        self._own_volume = outputs(in_state, volume)
        self._faults: list[Fault] = []

    def _fault(self, key: str, rule: str) -> None:
        self._faults.append(Fault(f"cloud.{key}" if key else "cloud", rule))

    def _volume(self) -> V | None:
        """The data volume that is there: the stack's own, the one of the settings, or what `destroy` kept."""
        found: V | None
        if self._own_volume is not None:
            found = self._volume_in_state(self._own_volume)
        elif self._named is not None:
            found = self._volume_named(self._named)
        else:
            found = self._volume_kept()
        if found is None:
            return None
        if found.size_gb is not None and self._wanted_gb < found.size_gb:
            rule = f"the data volume has {found.size_gb} GB and volumes never shrink; set at least that"
            self._fault("dataGb", rule)
        elif self._own_volume is None:
            data_volume.tell_of_adoption(found.id, None if self._named else self._volume_name)
        return found

    def _already(self, volume: V | None) -> Already:
        """What the stack has.

        :param volume: the data volume that is there.
        """
        return Already(
            adopt=volume.id if volume is not None and self._own_volume is None else None,
            has_machine=self._machine is not None,
            not_running=self._not_running(),
        )

    def _not_running(self) -> str | None:
        """The id of the machine that should be there, when it does not run."""
        if self._machine is None:
            return None
        identity = str(self._machine["id"])
        status = None
        with contextlib.suppress(NotThereError):
            status = self._status(identity)
        if status == self.RUNNING:
            return None
        tell_of_sleep(status, self._start(identity))
        return identity

    @abstractmethod
    def _volume_in_state(self, known: Outputs) -> V:
        """The stack's own volume, from its outputs."""

    @abstractmethod
    def _volume_named(self, identity: str) -> V | None:
        """The volume of this id; None, and a fault, when there is none."""

    @abstractmethod
    def _volume_kept(self) -> V | None:
        """The volume that an earlier deployment left; a fault when it cannot be known or had."""

    @abstractmethod
    def _status(self, identity: str) -> str:
        """The cloud's word for how a machine is. Raises NotThereError when it is no more."""

    @abstractmethod
    def _start(self, identity: str) -> str:
        """The command that starts a machine."""


def outputs(in_state: Mapping[str, Outputs], resource_type: str) -> Outputs | None:
    """The outputs of a stack's one resource of a type; None before it is made."""
    found = (one.get("outputs") or {} for one in in_state.values() if one.get("type") == resource_type)
    return next(found, None)
