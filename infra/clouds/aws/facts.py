"""What EC2 calls its things, and how large they may be: known without asking it."""

from __future__ import annotations

from typing import Final

INSTANCE: Final = "aws:ec2/instance:Instance"
"""The plug-in's token of a machine."""

VOLUME: Final = "aws:ebs/volume:Volume"

USER_DATA_BYTES: Final = 16 * 1024
"""EC2's limit on user data, before it is encoded in base64 (Amazon EC2 User Guide)."""


def disk(volume_id: str) -> tuple[str, ...]:
    """The names under /dev of an EBS volume that was attached as /dev/sdf.

    Nitro machines (t3) show an NVMe disk with the volume's id; Xen ones (t2) show xvdf and no id.
    """
    return (
        f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume_id.replace('-', '')}*",
        "/dev/xvdf",
        "/dev/sdf",
    )
