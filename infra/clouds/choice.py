"""What stands between a cloud's settings and a machine: what the cloud has for them."""

from __future__ import annotations

from typing import Protocol

from infra.host import Host
from infra.machine.capacity import Capacity


class Choice(Protocol):
    """A machine of which all is known that can be: its cloud was asked, and nothing is made yet."""

    @property
    def capacity(self) -> Capacity:
        """What settings can be held against before anything is made."""

    def build(self) -> Host:
        """Have it made; to be called once, when nothing speaks against it."""
