"""A virtual machine on AWS EC2: it may go at any time, its volume and its address stay."""

from __future__ import annotations

import ipaddress
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.clouds import data_volume
from infra.clouds.aws import facts
from infra.clouds.aws.choice import RegionChooser
from infra.clouds.aws.cost import Bill
from infra.clouds.aws.region import Region
from infra.clouds.context import Context
from infra.clouds.remote import machine_options, remote_host, tell_of_open_ssh, user_data
from infra.clouds.tags import tags
from infra.host import Host, Ssh
from infra.machine import keys
from infra.machine.capacity import Capacity
from infra.machine.ports import openings
from infra.stack import state
from infra.stack.clouds import AwsCloud

_USER = "ec2-user"
"""Of Amazon Linux."""


class AwsMachine(pulumi.ComponentResource):
    """A machine with its disk, its address and its firewall: asked for first, then made."""

    capacity: Capacity

    def __init__(
        self, name: str, cloud: AwsCloud, context: Context, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Ask the region for all that the settings name.

        Raises pulumi.RunError when the credentials are missing or refused, or
        when the region has not what a setting names.
        """
        super().__init__("cyberhubs:aws:Machine", name, None, opts)
        self._prefix = name
        self._settings = cloud
        self._context = context
        self._call = f"cyberhub-{context.stack}"
        plugin = aws.Provider(
            f"{name}-aws",
            region=cloud.region,
            profile=cloud.profile,
            default_tags=aws.ProviderDefaultTagsArgs(tags=tags(context.project, context.stack)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._child = pulumi.ResourceOptions(parent=self, provider=plugin)
        self._found = RegionChooser(cloud, context, Region(plugin), state.resources()).choose()
        size = self._found.machine_type
        self.capacity = Capacity(size.memory_mb, size.cpus)

    def build(self) -> Host:
        """Tell the price, then have the machine made.

        Raises pulumi.RunError when the keys of the stack's machine are not on this computer.
        """
        cloud, already, stack = self._settings, self._found.already, self._context.stack
        bill = Bill(
            region=cloud.region,
            instance_type=cloud.instance_type,
            root_gb=cloud.root_gb,
            data_gb=cloud.data_gb,
        )
        pulumi.log.info(bill.tell())
        tell_of_open_ssh(cloud.admin_cidrs)
        pairs = keys.of_machine(cloud.ssh_key_file, stack, in_use=already.has_machine)

        volume = self._data_volume()
        port = self._port()
        machine = self._machine(port, volume, pairs)
        attached = aws.ec2.VolumeAttachment(
            f"{self._prefix}-data-attached",
            device_name="/dev/sdf",
            instance_id=machine.id,
            volume_id=volume.id,
            stop_instance_before_detaching=True,
            # AWS lets go of the volume when the machine has shut down and goes; to pull it off a running
            # machine would tear the filesystem.
            opts=self._options(deleted_with=machine, delete_before_replace=True),
        )
        address, associated = self._address(port, machine)
        self.register_outputs(
            {"address": address, "machine": machine.id, "dataVolume": volume.id, **keys.made_on()}
        )
        return remote_host(
            address=address,
            reached=pulumi.Output.all(associated.id, attached.id),
            machine=machine,
            ssh=Ssh(user=_USER, key_file=pairs.operator.file, host_key=pairs.host.public),
            capacity=self.capacity,
            not_running=already.not_running,
        )

    def _options(self, **more: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(**more))

    @property
    def _named(self) -> dict[str, str]:
        """The tag that AWS's pages show as a name."""
        return {"Name": self._call}

    def _data_volume(self) -> aws.ebs.Volume:
        return aws.ebs.Volume(
            f"{self._prefix}-data",
            availability_zone=self._found.subnet.zone,
            size=self._settings.data_gb,
            type="gp3",
            encrypted=True,
            tags={"Name": data_volume.name(self._context.stack)},
            opts=pulumi.ResourceOptions.merge(
                self._child,
                data_volume.options(
                    keep=self._settings.keep_data,
                    adopt=self._found.already.adopt,
                    fixed=[
                        *("availability_zone", "encrypted", "kms_key_id", "snapshot_id"),
                        *("type", "iops", "throughput", "multi_attach_enabled", "outpost_arn"),
                    ],
                ),
            ),
        )

    def _port(self) -> aws.ec2.NetworkInterface:
        """Where the machine is plugged in; `make rebuild` asks for another, and the machine goes with it.

        The engine then knows that the machine goes before it comes to what is deleted with it. Asked for
        another machine it would not, and take the volume off first.
        """
        return aws.ec2.NetworkInterface(
            f"{self._prefix}-port",
            subnet_id=self._found.subnet.id,
            security_groups=[self._firewall().id],
            tags=self._named,
            opts=self._options(ignore_changes=["subnet_id"], delete_before_replace=True),
        )

    def _firewall(self) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(
            f"{self._prefix}-firewall",
            name=self._call,
            description="SSH, and the hub over HTTP and HTTPS",
            vpc_id=self._found.subnet.vpc_id,
            tags=self._named,
            # A subnet of another network comes with the next port; until then the machine is in this one.
            opts=self._options(ignore_changes=["vpc_id"]),
        )
        for service, port, cidr in openings(self._settings.admin_cidrs):
            aws.vpc.SecurityGroupIngressRule(
                f"{self._prefix}-{service}-{cidr}",
                security_group_id=group.id,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description=service,
                tags=self._named,
                opts=self._child,
                **{f"cidr_ipv{ipaddress.ip_network(cidr).version}": cidr},
            )
        # Unlike OpenStack's, a group made here lets nothing out by itself.
        aws.vpc.SecurityGroupEgressRule(
            f"{self._prefix}-out",
            security_group_id=group.id,
            ip_protocol="-1",
            cidr_ipv4="0.0.0.0/0",
            description="updates, images, sign-in",
            tags=self._named,
            opts=self._child,
        )
        return group

    def _machine(
        self,
        port: aws.ec2.NetworkInterface,
        volume: aws.ebs.Volume,
        pairs: keys.Keys,
    ) -> aws.ec2.Instance:
        instance_type = self._settings.instance_type
        return aws.ec2.Instance(
            f"{self._prefix}-machine",
            ami=self._found.image_id,
            instance_type=instance_type,
            primary_network_interface=aws.ec2.InstancePrimaryNetworkInterfaceArgs(
                network_interface_id=port.id
            ),
            key_name=self._settings.key_pair or self._key_pair(pairs.operator).key_name,
            user_data=user_data(
                volume.id, facts.disk, user=_USER, keys=pairs, limit_bytes=facts.USER_DATA_BYTES
            ),
            # Only the machine itself may ask for its metadata, which hold the user data: an answer that
            # has one hop to live does not get into a container.
            metadata_options=aws.ec2.InstanceMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            root_block_device=aws.ec2.InstanceRootBlockDeviceArgs(
                volume_type="gp3",
                volume_size=self._settings.root_gb,
                encrypted=True,
                delete_on_termination=True,
                tags=self._named,
            ),
            # A t3 would else run on when its credits are spent, and be charged for that.
            credit_specification=aws.ec2.InstanceCreditSpecificationArgs(cpu_credits="standard")
            if instance_type.startswith("t")
            else None,
            # `sudo poweroff` stops the machine, it does not delete it.
            instance_initiated_shutdown_behavior="stop",
            tags=self._named,
            opts=pulumi.ResourceOptions.merge(
                self._child,
                machine_options(fixed=["ami", "key_name", "root_block_device", "availability_zone"]),
            ),
        )

    def _key_pair(self, operator: keys.OperatorKey) -> aws.ec2.KeyPair:
        return aws.ec2.KeyPair(
            f"{self._prefix}-key",
            key_name=self._call,
            public_key=operator.public,
            tags=self._named,
            opts=self._options(delete_before_replace=True),
        )

    def _address(
        self, port: aws.ec2.NetworkInterface, machine: aws.ec2.Instance
    ) -> tuple[pulumi.Output[str], aws.ec2.EipAssociation]:
        """The hub's address, and what leads it to the machine."""
        address = aws.ec2.Eip(f"{self._prefix}-address", domain="vpc", tags=self._named, opts=self._child)
        associated = aws.ec2.EipAssociation(
            f"{self._prefix}-address-leads-here",
            allocation_id=address.allocation_id,
            network_interface_id=port.id,
            allow_reassociation=True,
            opts=self._options(delete_before_replace=True, depends_on=[machine]),
        )
        return address.public_ip, associated
