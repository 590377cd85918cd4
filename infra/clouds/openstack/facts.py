"""What OpenStack calls its things, and how large they may be: known without asking it."""

from __future__ import annotations

from typing import Final

INSTANCE: Final = "openstack:compute/instance:Instance"
"""The plug-in's token of a machine."""

PORT: Final = "openstack:networking/port:Port"

VOLUME: Final = "openstack:blockstorage/volume:Volume"

USER_DATA_BYTES: Final = 65535 // 4 * 3
"""What fits in Nova's 65,535 bytes of user data, which are counted in base64 (OpenStack Compute API)."""


def disk(volume_id: str) -> tuple[str, ...]:
    """The names under /dev of a Cinder volume: virtio and SCSI disks carry 20 characters of its id."""
    return (f"/dev/disk/by-id/*{volume_id[:20]}*",)
