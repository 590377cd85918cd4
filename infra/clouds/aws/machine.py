"""A virtual machine on AWS EC2: it may go at any time, its volume and its address stay."""

from __future__ import annotations

import ipaddress
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.clouds import data_volume
from infra.clouds.aws.choice import Chooser, volume_tags
from infra.clouds.aws.cost import Bill
from infra.clouds.aws.region import Region
from infra.clouds.context import Context
from infra.clouds.remote import remote_host, tell_of_open_ssh
from infra.clouds.tags import tags
from infra.host import Host, Ssh
from infra.machine import cloud_init, keys
from infra.machine.first_boot import FirstBoot, ebs_disk
from infra.machine.ports import PUBLIC_PORTS
from infra.stack import state
from infra.stack.clouds import DATA_DIR, AwsCloud

_USER = "ec2-user"
"""Of Amazon Linux."""


class AwsMachine(pulumi.ComponentResource):
    """A machine with its disk, its address and its firewall."""

    host: Host

    def __init__(
        self, name: str, cloud: AwsCloud, context: Context, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Ask the region for all that the settings name, tell the price, then have the machine made.

        Raises pulumi.RunError, before anything is made, when the credentials are missing or refused, or
        when the region has not what a setting names.
        """
        super().__init__("cyberhubs:aws:Machine", name, None, opts)
        self._prefix = name
        self._settings = cloud
        self._call = f"cyberhub-{context.stack}"
        plugin = aws.Provider(
            f"{name}-aws",
            region=cloud.region,
            profile=cloud.profile,
            default_tags=aws.ProviderDefaultTagsArgs(tags=tags(context.project, context.stack)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._child = pulumi.ResourceOptions(parent=self, provider=plugin)
        self._choice = Chooser(cloud, context, Region(plugin), state.resources()).choose()
        size = self._choice.machine_type
        context.check_machine(size.memory_mb, size.cpus, None)
        bill = Bill(
            region=cloud.region,
            instance_type=cloud.instance_type,
            root_gb=cloud.root_gb,
            data_gb=cloud.data_gb,
        )
        pulumi.log.info(bill.tell())
        tell_of_open_ssh(cloud.admin_cidrs)
        operator = keys.operator_key(cloud.ssh_key_file, context.stack)
        host_key = keys.host_key(context.stack)

        volume = self._data_volume(context)
        port = self._port()
        machine = self._machine(port, volume, operator, host_key)
        attached = aws.ec2.VolumeAttachment(
            f"{name}-data-attached",
            device_name="/dev/sdf",
            instance_id=machine.id,
            volume_id=volume.id,
            stop_instance_before_detaching=True,
            # AWS lets go of the volume when the machine has shut down and goes; to pull it off a running
            # machine would tear the filesystem.
            opts=self._options(deleted_with=machine, delete_before_replace=True),
        )
        address, associated = self._address(port, machine)
        self.host = remote_host(
            address=address,
            reached=pulumi.Output.all(associated.id, attached.id),
            machine=machine,
            ssh=Ssh(user=_USER, key_file=operator.file, host_key=host_key.public),
            memory_mb=size.memory_mb,
            cpus=size.cpus,
            not_running=self._choice.not_running,
        )
        self.register_outputs(
            {"address": address, "machine": machine.id, "dataVolume": volume.id, **keys.made_on()}
        )

    def _options(self, **more: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(**more))

    @property
    def _named(self) -> dict[str, str]:
        """The tag that AWS's pages show as a name."""
        return {"Name": self._call}

    def _data_volume(self, context: Context) -> aws.ebs.Volume:
        return aws.ebs.Volume(
            f"{self._prefix}-data",
            availability_zone=self._choice.subnet.zone,
            size=self._settings.data_gb,
            type="gp3",
            encrypted=True,
            tags={"Name": volume_tags(context)["Name"]},
            opts=pulumi.ResourceOptions.merge(
                self._child,
                data_volume.options(
                    keep=self._settings.keep_data,
                    adopt=self._choice.adopt,
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
            subnet_id=self._choice.subnet.id,
            security_groups=[self._firewall().id],
            tags=self._named,
            opts=self._options(ignore_changes=["subnet_id"], delete_before_replace=True),
        )

    def _firewall(self) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(
            f"{self._prefix}-firewall",
            name=self._call,
            description="SSH, and the hub over HTTP and HTTPS",
            vpc_id=self._choice.subnet.vpc_id,
            tags=self._named,
            # A subnet of another network comes with the next port; until then the machine is in this one.
            opts=self._options(ignore_changes=["vpc_id"]),
        )
        for service, port in PUBLIC_PORTS.items():
            admins = dict.fromkeys(self._settings.admin_cidrs)
            for cidr in admins if service == "ssh" else ["0.0.0.0/0"]:
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
        operator: keys.OperatorKey,
        host_key: keys.HostKey,
    ) -> aws.ec2.Instance:
        def user_data(volume_id: str) -> str:
            return cloud_init.user_data(
                first_boot=FirstBoot(
                    user=_USER, data_dir=DATA_DIR, data_disk=ebs_disk(volume_id), ours_alone=True
                ),
                operator_public_key=operator.public,
                host_key=host_key,
                limit_bytes=cloud_init.EC2_LIMIT_BYTES,
            )

        secret: pulumi.Output[str] = pulumi.Output.secret(volume.id.apply(user_data))
        instance_type = self._settings.instance_type
        return aws.ec2.Instance(
            f"{self._prefix}-machine",
            ami=self._choice.image_id,
            instance_type=instance_type,
            primary_network_interface=aws.ec2.InstancePrimaryNetworkInterfaceArgs(
                network_interface_id=port.id
            ),
            key_name=self._settings.key_pair or self._key_pair(operator).key_name,
            user_data=secret,
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
            opts=self._options(
                # A machine that runs is not replaced because there is a newer image or our script has a
                # new line; a new one, which takes all of that, comes with a new port.
                ignore_changes=["ami", "user_data", "key_name", "root_block_device", "availability_zone"],
                # The port and the volume can be with one machine only.
                delete_before_replace=True,
                additional_secret_outputs=["user_data"],
                # A machine that has not started in ten minutes is not going to.
                custom_timeouts=pulumi.CustomTimeouts(create="10m", update="30m", delete="10m"),
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
