"""A project on a cloud like Arbutus, as the plug-in's lookups show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pytest

from tests.unit.clouds.deploying import Deployed, deploy
from tests.unit.engine import Answer, LookupFailedError

SETTINGS: Final = {"kind": "openstack"}

INSTANCE: Final = "openstack:compute/instance:Instance"
VOLUME: Final = "openstack:blockstorage/volume:Volume"
PORT: Final = "openstack:networking/port:Port"

ADDRESS: Final = "134.87.8.7"

MADE: Final = {"openstack:networking/floatingIp:FloatingIp": {"address": ADDRESS}}

_NONE = "1 error occurred:\n\t* Your query returned no results. Please change your search criteria."
_SEVERAL = "1 error occurred:\n\t* Your query returned more than one result. Please be more specific"

FLAVORS: Final[Mapping[str, dict[str, int]]] = {
    "c4-15gb-83": {"ram": 15360, "vcpus": 4, "disk": 20},
    "p4-6gb": {"ram": 6144, "vcpus": 4, "disk": 0},
}


def _flavor(args: dict[str, Any]) -> Mapping[str, Any]:
    if args["name"] not in FLAVORS:
        raise LookupFailedError(_NONE)
    return {"id": f"id-of-{args['name']}", "name": args["name"], **FLAVORS[args["name"]]}


def _image(args: dict[str, Any]) -> Mapping[str, Any]:
    if args["name"] not in ("AlmaLinux-9", "Debian-12", "Own-Image"):
        raise LookupFailedError(_NONE)
    return {"id": f"newest-{args['name']}"}


def _network(args: dict[str, Any]) -> Mapping[str, Any]:
    name = "Public-Network" if args.get("external") else "def-group-network"
    return {"id": f"id-of-{name}", "name": name}


def nothing(_: dict[str, Any]) -> Mapping[str, Any]:
    """The lookup's answer when there is no such thing."""
    raise LookupFailedError(_NONE)


def several(_: dict[str, Any]) -> Mapping[str, Any]:
    """The lookup's answer when there is more than one."""
    raise LookupFailedError(_SEVERAL)


def refused(_: dict[str, Any]) -> Mapping[str, Any]:
    """The lookup's answer to credentials that are no good."""
    message = (
        "1 error occurred:\n\t* Error creating OpenStack compute client: Expected HTTP response code [201] "
        "when accessing [POST https://identity.example.org/v3/auth/tokens], but got 401 instead: "
        '{"error": {"code": 401, "message": "The request you have made requires authentication."}}'
    )
    raise LookupFailedError(message)


LOOKUPS: Final[Mapping[str, Answer]] = {
    "openstack:compute/getFlavor:getFlavor": _flavor,
    "openstack:images/getImage:getImage": _image,
    "openstack:networking/getNetwork:getNetwork": _network,
    "openstack:blockstorage/getVolumeV3:getVolumeV3": nothing,
    "openstack:identity/getAuthScope:getAuthScope": {
        "projectId": "ours", "region": "RegionOne", "serviceCatalogs": [], "tokenId": "t",
    },
    "openstack:compute/getInstanceV2:getInstanceV2": {"powerState": "active"},
}  # fmt: skip


GET_VOLUME = "openstack:blockstorage/getVolumeV3:getVolumeV3"


def up(settings: dict[str, Any] | None = None, **more: Any) -> Deployed:
    """The stack with these settings, in a project that has what LOOKUPS say."""
    lookups: dict[str, Answer] = {**LOOKUPS, **more.pop("lookups", {})}
    return deploy({**SETTINGS, **(settings or {})}, made=MADE, lookups=lookups, **more)


def refusal(settings: dict[str, Any] | None = None, **more: Any) -> str:
    """What the program says of settings that it refuses."""
    with pytest.raises(pulumi.RunError) as caught:
        up(settings, **more)
    return str(caught.value)
