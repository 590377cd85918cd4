"""A virtual machine on OpenStack, such as Arbutus: it may go at any time, its volume and its address stay."""

from __future__ import annotations

import ipaddress
from typing import Any

import pulumi
import pulumi_openstack as openstack

from infra.clouds import data_volume
from infra.clouds.context import Context
from infra.clouds.openstack import credentials, facts
from infra.clouds.openstack.choice import ProjectChooser, dotted
from infra.clouds.openstack.project import Project
from infra.clouds.remote import machine_options, remote_host, tell_of_open_ssh, user_data
from infra.clouds.tags import tags
from infra.host import Host, Ssh
from infra.machine import keys
from infra.machine.capacity import Capacity
from infra.machine.ports import openings
from infra.stack import state
from infra.stack.clouds import OpenStackCloud


class OpenStackMachine(pulumi.ComponentResource):
    """A machine with its disk, its address and its firewall: asked for first, then made."""

    capacity: Capacity

    def __init__(
        self, name: str, cloud: OpenStackCloud, context: Context, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Ask the project for all that the settings name.

        Raises pulumi.RunError when the credentials are missing or refused,
        when the project has not what a setting names, or when its quota has no room.
        """
        super().__init__("cyberhubs:openstack:Machine", name, None, opts)
        missing = credentials.missing(cloud.cloud)
        if missing:
            raise pulumi.RunError(missing)
        self._prefix = name
        self._settings = cloud
        self._context = context
        self._call = f"cyberhub-{context.stack}"
        self._tags = tags(context.project, context.stack)
        plugin = openstack.Provider(
            f"{name}-openstack", cloud=cloud.cloud, opts=pulumi.ResourceOptions(parent=self)
        )
        self._child = pulumi.ResourceOptions(parent=self, provider=plugin)
        self._found = ProjectChooser(cloud, context, Project(plugin), state.resources()).choose()
        self.capacity = Capacity(self._found.flavor.memory_mb, self._found.flavor.cpus)

    def build(self) -> Host:
        """Have the machine made.

        Raises pulumi.RunError when the keys of the stack's machine are not on this computer.
        """
        cloud, already, stack = self._settings, self._found.already, self._context.stack
        tell_of_open_ssh(cloud.admin_cidrs)
        pairs = keys.of_machine(cloud.ssh_key_file, stack, in_use=already.has_machine)

        volume = self._data_volume()
        port = self._port()
        machine = self._machine(port, volume, pairs)
        attached = openstack.compute.VolumeAttach(
            f"{self._prefix}-data-attached",
            instance_id=machine.id,
            volume_id=volume.id,
            # OpenStack lets go of the volume when the machine has shut down and goes; to pull it off a
            # running machine would tear the filesystem.
            opts=self._options(deleted_with=machine, delete_before_replace=True),
        )
        address, associated = self._address(port)
        if self._found.zone_id is not None:
            self._dns_record(self._found.zone_id, address)
        self.register_outputs(
            {"address": address, "machine": machine.id, "dataVolume": volume.id, **keys.made_on()}
        )
        return remote_host(
            address=address,
            reached=pulumi.Output.all(associated.id, attached.id),
            machine=machine,
            ssh=Ssh(user=self._found.user, key_file=pairs.operator.file, host_key=pairs.host.public),
            capacity=self.capacity,
            not_running=already.not_running,
        )

    def _options(self, **more: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(**more))

    def _data_volume(self) -> openstack.blockstorage.Volume:
        return openstack.blockstorage.Volume(
            f"{self._prefix}-data",
            name=data_volume.name(self._context.stack),
            description="Users' files, the hub's state and Docker's images",
            size=self._settings.data_gb,
            volume_type=self._settings.data_volume_type,
            enable_online_resize=True,
            metadata=self._tags,
            opts=pulumi.ResourceOptions.merge(
                self._child,
                data_volume.options(
                    keep=self._settings.keep_data,
                    adopt=self._found.already.adopt,
                    fixed=["availability_zone", "volume_type", "image_id", "snapshot_id", "source_vol_id"],
                ),
            ),
        )

    def _port(self) -> openstack.networking.Port:
        """Where the machine is plugged in; `make rebuild` asks for another, and the machine goes with it.

        The engine then knows that the machine goes before it comes to what is deleted with it. Asked for
        another machine it would not, and pull the volume off while the machine runs.
        """
        return openstack.networking.Port(
            f"{self._prefix}-port",
            name=self._call,
            network_id=self._found.network_id,
            # On the port and by id: where a port is given, those of the machine are not looked at.
            security_group_ids=[self._firewall().id],
            tags=self._tag_words,
            opts=self._options(ignore_changes=["network_id"], delete_before_replace=True),
        )

    def _firewall(self) -> openstack.networking.SecGroup:
        # The two rules for outgoing traffic that each group has by itself stay: without them a machine
        # cannot get its metadata.
        group = openstack.networking.SecGroup(
            f"{self._prefix}-firewall",
            name=self._call,
            description="SSH, and the hub over HTTP and HTTPS",
            tags=self._tag_words,
            opts=self._child,
        )
        for service, port, cidr in openings(self._settings.admin_cidrs):
            openstack.networking.SecGroupRule(
                f"{self._prefix}-{service}-{cidr}",
                security_group_id=group.id,
                direction="ingress",
                ethertype=f"IPv{ipaddress.ip_network(cidr).version}",
                protocol="tcp",
                port_range_min=port,
                port_range_max=port,
                remote_ip_prefix=cidr,
                description=service,
                opts=self._child,
            )
        return group

    def _machine(
        self,
        port: openstack.networking.Port,
        volume: openstack.blockstorage.Volume,
        pairs: keys.Keys,
    ) -> openstack.compute.Instance:
        from_volume = self._found.from_volume
        return openstack.compute.Instance(
            f"{self._prefix}-machine",
            name=self._call,
            flavor_id=self._found.flavor.id,
            image_id=None if from_volume else self._found.image_id,
            block_devices=[self._root_volume()] if from_volume else None,
            key_pair=self._settings.key_pair or self._key_pair(pairs.operator).name,
            networks=[openstack.compute.InstanceNetworkArgs(port=port.id)],
            availability_zone=self._settings.availability_zone,
            # The metadata service is not always there when a machine first asks.
            config_drive=True,
            user_data=user_data(
                volume.id, facts.disk, user=self._found.user, keys=pairs, limit_bytes=facts.USER_DATA_BYTES
            ),
            metadata=self._tags,
            stop_before_destroy=True,
            opts=pulumi.ResourceOptions.merge(
                self._child,
                machine_options(
                    fixed=["image_id", "image_name", "block_devices", "key_pair", "availability_zone"]
                ),
            ),
        )

    def _root_volume(self) -> openstack.compute.InstanceBlockDeviceArgs:
        return openstack.compute.InstanceBlockDeviceArgs(
            uuid=self._found.image_id,
            source_type="image",
            destination_type="volume",
            volume_size=self._settings.boot_gb,
            boot_index=0,
            delete_on_termination=True,
        )

    def _key_pair(self, operator: keys.OperatorKey) -> openstack.compute.Keypair:
        return openstack.compute.Keypair(
            f"{self._prefix}-key",
            name=self._call,
            public_key=operator.public,
            opts=self._options(delete_before_replace=True),
        )

    def _address(
        self, port: openstack.networking.Port
    ) -> tuple[pulumi.Output[str], openstack.networking.FloatingIpAssociate]:
        """The hub's address, and what leads it to the machine."""
        if self._settings.floating_ip is not None:
            address = pulumi.Output.from_input(self._settings.floating_ip)
        else:
            address = openstack.networking.FloatingIp(
                f"{self._prefix}-address",
                pool=self._found.external_network,
                tags=self._tag_words,
                opts=self._child,
            ).address
        associated = openstack.networking.FloatingIpAssociate(
            f"{self._prefix}-address-leads-here",
            floating_ip=address,
            port_id=port.id,
            opts=self._options(delete_before_replace=True),
        )
        return address, associated

    def _dns_record(self, zone_id: str, address: pulumi.Output[str]) -> None:
        openstack.dns.RecordSet(
            f"{self._prefix}-dns",
            zone_id=zone_id,
            name=dotted(str(self._context.hostname)),
            type="A",
            ttl=300,
            records=[address],
            opts=self._options(delete_before_replace=True),
        )

    @property
    def _tag_words(self) -> list[str]:
        """Neutron's tags are words."""
        return [f"{key}={value}" for key, value in self._tags.items()]
