"""A deployment in moto's EC2, or what is said instead of one."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from tests.unit.clouds.deploying import Deployed, deploy
from tests.unit.clouds.ec2 import Account


def up(cloud: Account, settings: dict[str, Any] | None = None, **more: Any) -> Deployed:
    """Deploy to AWS with these settings."""
    wanted = {"kind": "aws", "region": cloud.region, **(settings or {})}
    return deploy(wanted, made=cloud.make, lookups={**cloud.lookups(), **more.pop("lookups", {})}, **more)


def refusal(cloud: Account, settings: dict[str, Any] | None = None, **more: Any) -> str:
    """What is told instead, when nothing can be deployed."""
    with pytest.raises(pulumi.RunError) as caught:
        up(cloud, settings, **more)
    return str(caught.value)
