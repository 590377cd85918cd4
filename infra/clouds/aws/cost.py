"""What a stack on AWS costs a month, told before anything is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PRICES_OF: Final = "November 2026"
"""When the tables below were written down, from AWS's published on-demand prices in US dollars."""

_HOURS: Final = 730
"""Of a month, as AWS counts it."""

_ADDRESS_PER_HOUR: Final = 0.005
"""A public IPv4 address, in use or not, in every region."""

_FREE_DISK_GB: Final = 30
"""All disks together, in the first twelve months of an account that was opened before 15 July 2025."""

FREE_TYPES: Final = ("t2.micro", "t3.micro")
"""Free for an account's first year; a region has one of them or both."""

_T3_SIZES: Final = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}
"""The price of a t3 doubles with its size."""


@dataclass(frozen=True)
class _Region:
    t2_micro: float | None
    """USD per hour; None: the region has none."""
    t3_micro: float
    """USD per hour."""
    gp3: float
    """USD per GB and month."""


_REGIONS: Final = {
    "ca-central-1": _Region(t2_micro=0.0128, t3_micro=0.0116, gp3=0.088),
    "eu-central-1": _Region(t2_micro=0.0134, t3_micro=0.0120, gp3=0.0952),
    "eu-north-1": _Region(t2_micro=None, t3_micro=0.0108, gp3=0.0836),
    "eu-west-1": _Region(t2_micro=0.0126, t3_micro=0.0114, gp3=0.088),
    "us-east-1": _Region(t2_micro=0.0116, t3_micro=0.0104, gp3=0.08),
    "us-east-2": _Region(t2_micro=0.0116, t3_micro=0.0104, gp3=0.08),
    "us-west-2": _Region(t2_micro=0.0116, t3_micro=0.0104, gp3=0.08),
}


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What is paid for."""

    region: str
    instance_type: str
    root_gb: int
    data_gb: int

    @property
    def disk_gb(self) -> int:
        """All disks together."""
        return self.root_gb + self.data_gb

    def tell(self) -> str:
        """The bill, as a few lines of text."""
        region = _REGIONS.get(self.region)
        hourly = _hourly(region, self.instance_type)
        if region is None or hourly is None:
            text = (
                f"The price of {self.instance_type} in {self.region} is not known here; "
                "https://calculator.aws tells what this stack costs."
            )
        else:
            parts = {
                self.instance_type: hourly * _HOURS,
                f"{self.disk_gb} GB of disk": region.gp3 * self.disk_gb,
                "the address": _ADDRESS_PER_HOUR * _HOURS,
            }
            listed = ", ".join(f"{what} {dollars:.2f}" for what, dollars in parts.items())
            text = (
                f"This stack costs about {sum(parts.values()):.2f} US dollars a month at the prices of "
                f"{PRICES_OF} ({listed}), besides traffic and taxes."
            )
        return f"{text}\n{self._free()}"

    def _free(self) -> str:
        over_gb = self.disk_gb - _FREE_DISK_GB
        if self.instance_type not in FREE_TYPES:
            return f"The free allowance of a new account does not cover {self.instance_type}."
        region = _REGIONS.get(self.region)
        if over_gb > 0:
            dollars = f", {over_gb * region.gp3:.2f} dollars a month" if region else ""
            disks = (
                f"{over_gb} GB of disk are paid for{dollars} (dataGb {_FREE_DISK_GB - self.root_gb} is free)"
            )
        else:
            disks = "all of its disks are in it"
        return (
            "In the first twelve months of an account opened before 15 July 2025, machine and address are "
            f"free for 750 hours a month, and {_FREE_DISK_GB} GB of disk: {disks}. A later account pays from "
            "its credits."
        )


def _hourly(region: _Region | None, instance_type: str) -> float | None:
    if region is None:
        return None
    if instance_type == "t2.micro":
        return region.t2_micro
    family, _, size = instance_type.partition(".")
    return region.t3_micro * _T3_SIZES[size] if family == "t3" and size in _T3_SIZES else None
