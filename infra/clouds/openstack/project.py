"""What an OpenStack project has: flavors, images, networks, volumes, room in its quota."""

from __future__ import annotations

import json
import os
import ssl
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_openstack as openstack

from infra.clouds.asking import Answer, CloudError, NotThereError, SeveralError, ask, nearest
from infra.clouds.data_volume import Volume
from infra.clouds.openstack.meaning import meaning, not_there, several

_SECONDS: Final = 10
"""For one answer that only makes a message better."""

_QUOTAS: Final = {
    "compute": {
        "instances": ("maxTotalInstances", "totalInstancesUsed"),
        "cores": ("maxTotalCores", "totalCoresUsed"),
        "memory_mb": ("maxTotalRAMSize", "totalRAMUsed"),
    },
    "volumev3": {
        "volumes": ("maxTotalVolumes", "totalVolumesUsed"),
        "volume_gb": ("maxTotalVolumeGigabytes", "totalGigabytesUsed"),
    },
}
"""Service to what its quota counts, and the names of limit and use in its answer."""


@dataclass(frozen=True)
class Flavor:
    """A size of machine."""

    id: str
    memory_mb: int
    cpus: int
    disk_gb: int
    """The root disk that comes with it; 0: none, the machine starts from a volume."""


@dataclass(frozen=True)
class FoundVolume(Volume):
    """A volume that was looked up."""

    status: str


class Project:
    """The project that the credentials lead to, asked through the plug-in."""

    def __init__(self, plugin: openstack.Provider) -> None:
        """Ask through this plug-in."""
        self._options = pulumi.InvokeOptions(provider=plugin)

    def flavor(self, name: str) -> Flavor:
        """A size of machine. Raises NotThereError."""
        try:
            found = self._ask(lambda: openstack.compute.get_flavor(name=name, opts=self._options))
        except NotThereError:
            raise NotThereError(
                nearest(name, self._names("compute", "/flavors?limit=500", "flavors"))
            ) from None
        return Flavor(found.id, memory_mb=found.ram or 0, cpus=found.vcpus or 0, disk_gb=found.disk or 0)

    def image_id(self, name: str) -> str:
        """The newest image of that name. Raises NotThereError."""
        try:
            found = self._ask(
                lambda: openstack.images.get_image(name=name, most_recent=True, opts=self._options)
            )
        except NotThereError:
            names = self._names("image", "/v2/images?limit=500&status=active", "images")
            raise NotThereError(nearest(name, names)) from None
        return found.id

    def network_id(self, name: str | None) -> str:
        """The project's network; the only one where none is named. Raises NotThereError, SeveralError."""
        if name is not None:
            return str(self._network(name, external=None).id)
        try:
            return str(self._network(None, external=False).id)
        except SeveralError:
            # Clouds share networks with all projects; the project's own is meant.
            own = self._ask(lambda: openstack.identity.get_auth_scope(name="scope", opts=self._options))
            return str(self._network(None, external=False, project_id=own.project_id).id)

    def external_network(self, name: str | None) -> str:
        """The name of the network that floating IPs come from. Raises NotThereError, SeveralError."""
        return str(self._network(name, external=True).name)

    def floating_ip_port(self, address: str) -> str:
        """The id of the port that an address of the project leads to; empty: none. Raises NotThereError."""
        found = self._ask(lambda: openstack.networking.get_floating_ip(address=address, opts=self._options))
        return found.port_id or ""

    def volume(self, name: str) -> FoundVolume | None:
        """The volume of that name, if there is one. Raises SeveralError."""
        try:
            found = self._ask(lambda: openstack.blockstorage.get_volume_v3(name=name, opts=self._options))
        except NotThereError:
            return None
        return FoundVolume(found.id, found.size, found.status)

    def zone_id(self, name: str) -> str:
        """A DNS zone of the project. Raises NotThereError."""
        return self._ask(lambda: openstack.dns.get_dns_zone(name=name, opts=self._options)).id

    def machine_status(self, identity: str) -> str:
        """How a machine is: active, shutoff, error ... Raises NotThereError when it is no more."""
        found = self._ask(lambda: openstack.compute.get_instance_v2(id=identity, opts=self._options))
        if not found.power_state:
            raise NotThereError  # the plug-in's answer is then empty, and no error
        return found.power_state

    def has_key_pair(self, name: str) -> bool:
        """Whether the user has a key pair of that name."""
        try:
            self._ask(lambda: openstack.compute.get_keypair(name=name, opts=self._options))
        except NotThereError:
            return False
        return True

    def room(self) -> dict[str, int]:
        """What the quota has left, in its own units; without those that have no limit or cannot be asked.

        `instances`, `cores`, `memory_mb`, `volumes`, `volume_gb`.
        """
        left = {}
        for service, names in _QUOTAS.items():
            limits = (self._get(service, "/limits") or {}).get("limits", {}).get("absolute", {})
            for what, (most, used) in names.items():
                if limits.get(most, -1) >= 0:
                    left[what] = limits[most] - limits.get(used, 0)
        return left

    def _network(self, name: str | None, *, external: bool | None, project_id: str | None = None) -> Any:
        kind = "networks" if external is None else f"{'external' if external else 'internal'} networks"
        try:
            return self._ask(
                lambda: openstack.networking.get_network(
                    name=name, external=external, tenant_id=project_id, opts=self._options
                )
            )
        except (NotThereError, SeveralError) as error:
            query = "" if external is None else f"?router:external={external}"
            names = self._names("network", f"/v2.0/networks{query}", "networks")
            if isinstance(error, NotThereError):
                raise NotThereError(nearest(name or "", names)) from None
            raise SeveralError(
                f"there are several {kind}: {', '.join(sorted(names))}"
                if names
                else f"there are several {kind}"
            ) from None

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """An answer of the plug-in. Raises NotThereError, SeveralError, and pulumi.RunError for all else."""
        try:
            return ask(question)
        except CloudError as error:
            text = str(error)
        if not_there(text):
            raise NotThereError
        if several(text):
            raise SeveralError
        raise pulumi.RunError(meaning(text))

    def _names(self, service: str, path: str, key: str) -> list[str]:
        """The names of all there are of something; the plug-in can only say whether there is one."""
        listed = (self._get(service, path) or {}).get(key) or []
        return [entry["name"] for entry in listed if entry.get("name")]

    def _get(self, service: str, path: str) -> Any:
        """What a service says itself; None where it cannot be asked.

        It makes messages better and errors earlier, so nothing depends on it.
        """
        scope = self._ask(
            lambda: openstack.identity.get_auth_scope(name="scope", set_token_id=True, opts=self._options)
        )
        endpoint = _public_endpoint(scope.service_catalogs, service, scope.region)
        if endpoint is None:
            return None
        # Some catalogs name an endpoint's version, others leave it to the caller.
        base = endpoint.rstrip("/").removesuffix(f"/{path.split('/')[1]}")
        request = urllib.request.Request(f"{base}{path}", headers={"X-Auth-Token": scope.token_id})  # noqa: S310 - an address of the cloud's own catalog
        try:
            context = ssl.create_default_context(cafile=os.environ.get("OS_CACERT"))
            with urllib.request.urlopen(request, timeout=_SECONDS, context=context) as answer:  # noqa: S310 - see above
                return json.load(answer)
        except (OSError, ValueError) as error:
            pulumi.log.debug(f"{service} does not tell {path}: {error}")
            return None


def _public_endpoint(catalog: Any, service: str, region: str) -> str | None:
    for entry in catalog or []:
        if entry.type == service:
            for endpoint in entry.endpoints:
                if endpoint.interface == "public" and region in ("", endpoint.region):
                    return str(endpoint.url)
    return None
