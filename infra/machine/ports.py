"""Ports the world may reach on a machine of ours."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

PUBLIC_PORTS: Final = MappingProxyType({"ssh": 22, "http": 80, "https": 443})
