"""Everything on one machine's Docker engine: network, fence, proxy and hubs. Knows no cloud."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_docker as docker

from hubconfig import labels
from hubconfig.names import Names
from infra.checks.certificate import put_certificate
from infra.dock import LOG_LIMITS, container_labels
from infra.engine import Engine, UnreachableError
from infra.host import Host
from infra.images.store import ImageStore
from infra.site.addresses import Addresses, addresses
from infra.site.answering import answering
from infra.site.backup import backup_container
from infra.site.caddyfile import ACME_CA, CERTIFICATES, HTTP_PORT, HTTPS_PORT, HubRoute, SiteRoutes, caddyfile
from infra.site.home_limits import home_limits_container, limited
from infra.site.hub import Hub, HubPlace
from infra.site.orphans import swept
from infra.site.spaces import FOLDER, folder_made, remote_spaces, space_container
from infra.stack.secrets import backup_secrets, hub_secrets
from infra.stack.settings import AcmeTls, FilesTls, NoTls, Settings

_IDLE_MB = 160
"""A JupyterLab with one idle kernel takes 154 MB (measured)."""

_SYSTEM_MB = 300
"""Kernel, Docker, hub and proxy."""


class Site(pulumi.ComponentResource):
    """The hubs of a stack behind one proxy."""

    url: pulumi.Output[str]
    """Where browsers go; resolves when the hub answers there."""

    def __init__(
        self,
        name: str,
        host: Host,
        settings: Settings,
        *,
        config: pulumi.Config,
        stack: str,
        previous: pulumi.Output[Mapping[str, Any]],
    ) -> None:
        """Put a site on a machine.

        :param previous: the stack's last outputs, which hold the secrets that were made for it.
        """
        super().__init__("cyberhubs:hub:Site", name, None)
        self._stack = stack
        self._host = host
        self._settings = settings
        self._engine = swept(_engine(host), stack, settings.every_hub)
        provider = docker.Provider(
            "engine",
            host=self._engine.apply(
                lambda engine: engine.docker_host if engine.ssh is None else engine.ssh.url(engine.address)
            ),
            ssh_opts=[*host.ssh.options()] if host.ssh else None,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=host.machine),
        )
        # A machine that is gone takes its containers along; a new one gets new containers.
        self._there = pulumi.ResourceOptions(
            parent=self,
            provider=provider,
            deleted_with=host.machine,
            replace_with=[which for which in (host.machine, host.identity) if which] or None,
        )
        self.addresses: Addresses = addresses(settings.network.subnet, stack)
        self.network = self._network()
        images = ImageStore(
            settings.images,
            settings.image_source if host.ssh else "pull" if settings.image_source == "pull" else "build",
            there=self._there,
            here=pulumi.ResourceOptions(parent=self),
            engine=self._engine,
        )
        self._places = {
            hub: HubPlace(
                name=hub,
                stack=stack,
                site_url=self._site_url(),
                network=self.network,
                address=self.addresses.hub(number),
                servers_max=options.limits.servers or max(1, (host.memory_mb - _SYSTEM_MB) // _IDLE_MB),
            )
            for number, (hub, options) in enumerate(settings.every_hub.items())
        }
        self._fence_image = images.own("fence")
        for options in settings.every_hub.values():
            for entry in options.menu:
                images.application(entry)  # so that each hub knows which images the others keep
        fence = self._fence()
        self.secrets: dict[str, pulumi.Output[str]] = {}
        hubs = []
        for hub, options in settings.every_hub.items():
            files = hub_secrets(config, options, previous)
            self.secrets |= files
            hubs.append(
                Hub(
                    self._places[hub],
                    host,
                    options,
                    images,
                    files,
                    pulumi.ResourceOptions(parent=self),
                    pulumi.ResourceOptions.merge(self._there, pulumi.ResourceOptions(depends_on=[fence])),
                )
            )
        limits = self._home_limits(images)
        proxy = self._proxy(images, fence)
        self._spaces(images, config)
        if settings.backup is not None:
            self.secrets |= (backup := backup_secrets(config, previous))
            backup_container(
                settings.backup,
                name=Names(stack).backup,
                stack=stack,
                host=host,
                hubs=list(settings.every_hub.values()),
                image=images.own("backup"),
                secrets=backup,
                opts=self._there,
            )
        self.url = answering(
            self._site_url(),
            self._engine,
            [proxy.id, *(hub.container.id for hub in hubs), *limits],
            Names(stack).proxy,
            {place.container: place.base_url for place in self._places.values()},
        )
        self.register_outputs({"url": self.url})

    @property
    def callback_urls(self) -> dict[str, pulumi.Output[str]]:
        """Hub to the URL that its OAuth application must be registered with."""
        return {
            hub: pulumi.Output.concat(self._site_url(), place.base_url, "hub/oauth_callback")
            for hub, place in self._places.items()
        }

    def _site_url(self) -> pulumi.Output[str]:
        plain = isinstance(self._settings.web.tls, NoTls)
        scheme, usual = ("http", 80) if plain else ("https", 443)
        port = self._host.http_port if plain else self._host.https_port
        name = self._settings.web.hostname or self._host.address
        return pulumi.Output.concat(scheme, "://", name, "" if port == usual else f":{port}")

    def _network(self) -> docker.Network:
        async def remove_user_servers(_: pulumi.ResourceHookArgs) -> None:
            # Users' servers are the hub's doing and not in the state; a network with servers on it
            # cannot be removed. Their files stay.
            address = await pulumi.Output.from_input(self._host.address).future()
            engine = Engine(address=address or "", ssh=self._host.ssh, docker_host=await self._local_docker())
            try:
                removed = engine.remove_containers(f"{labels.STACK}={self._stack}", f"{labels.ROLE}=user")
            except UnreachableError as error:
                pulumi.log.warn(f"users' servers were not removed: {error}")
                return
            fence = await self._fence_image.future() if removed else None
            if fence is not None:
                # The fence left its rules in place while there were servers to guard.
                rights = ["--cap-drop", "ALL", "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW"]
                where = ["--network", "host", "--env", f"BRIDGE={self._bridge}"]
                engine.run("run", "--rm", *rights, *where, fence, "remove")

        hook = pulumi.ResourceHook("remove-user-servers", remove_user_servers)
        return docker.Network(
            "network",
            name=Names(self._stack).network,
            driver="bridge",
            ipam_configs=[
                docker.NetworkIpamConfigArgs(
                    subnet=str(self.addresses.network),
                    gateway=self.addresses.gateway,
                    ip_range=self.addresses.users,
                )
            ],
            options={
                # Containers do not reach each other; the fence lets hub and proxy through.
                "com.docker.network.bridge.enable_icc": "false",
                "com.docker.network.bridge.name": self._bridge,
            },
            labels=[docker.NetworkLabelArgs(label=labels.STACK, value=self._stack)],
            opts=pulumi.ResourceOptions.merge(
                self._there,
                pulumi.ResourceOptions(
                    delete_before_replace=True, hooks=pulumi.ResourceHookBinding(before_delete=[hook])
                ),
            ),
        )

    async def _local_docker(self) -> str | None:
        if self._host.ssh is not None or self._host.docker_host is None:
            return None
        return await pulumi.Output.from_input(self._host.docker_host).future()

    @property
    def _bridge(self) -> str:
        """The Linux name of the network's bridge; those have at most 15 characters."""
        return Names(self._stack).bridge

    def _fence(self) -> docker.Container:
        hubs = [place.address for place in self._places.values()]
        return docker.Container(
            "fence",
            name=Names(self._stack).fence,
            image=self._fence_image,
            restart="unless-stopped",
            init=True,
            # The firewall is the machine's, not the container's.
            network_mode="host",
            capabilities=docker.ContainerCapabilitiesArgs(
                drops=["ALL"], adds=["CAP_NET_ADMIN", "CAP_NET_RAW"]
            ),
            security_opts=["no-new-privileges:true"],
            read_only=True,
            tmpfs={"/run": "mode=0755,size=1m"},
            envs=[
                f"BRIDGE={self._bridge}",
                f"SUBNET={self.addresses.network}",
                f"HUB_ADDRESS={' '.join(hubs)}",
                f"PROXY_ADDRESS={self.addresses.proxy}",
                f"PUBLIC_PORTS={self._host.http_port} {self._host.https_port}",
            ],
            labels=container_labels(self._stack, "fence"),
            log_driver="json-file",
            log_opts=LOG_LIMITS,
            # Without it the provider kills, and the fence could not take its rules away.
            destroy_grace_seconds=5,
            must_run=True,
            opts=pulumi.ResourceOptions.merge(
                self._there, pulumi.ResourceOptions(delete_before_replace=True, depends_on=[self.network])
            ),
        )

    def _proxy(self, images: ImageStore, fence: docker.Container) -> docker.Container:
        host, web = self._host, self._settings.web
        ports = {HTTP_PORT: host.http_port}
        if not isinstance(web.tls, NoTls):
            ports[HTTPS_PORT] = host.https_port
        configuration = pulumi.Output.from_input(host.address).apply(
            lambda address: caddyfile(
                SiteRoutes(
                    names=site_names(web.hostname, address, host.bind),
                    https_port=host.https_port,
                    tls=web.tls,
                    hubs=[
                        HubRoute(place.name, place.base_url, place.container, place.user_prefix)
                        for place in self._places.values()
                    ],
                )
            )
        )
        volumes = {f"{host.data_dir}/cyberhub/proxy": "/data"}
        uploads = {"/etc/caddy/Caddyfile": configuration}
        if isinstance(web.tls, AcmeTls) and web.tls.directory_ca_file is not None:
            authority = Path(web.tls.directory_ca_file).expanduser().read_text()
            uploads[ACME_CA] = pulumi.Output.from_input(authority)
        image = images.own("proxy")
        if isinstance(web.tls, FilesTls):
            folder = f"{host.data_dir}/cyberhub/tls"
            volumes[folder] = CERTIFICATES
            image = self._with_certificate(web.tls, image, folder)
        return docker.Container(
            "proxy",
            name=Names(self._stack).proxy,
            image=image,
            restart="unless-stopped",
            network_mode="bridge",
            networks_advanced=[
                docker.ContainerNetworksAdvancedArgs(
                    name=self.network.name, ipv4_address=self.addresses.proxy
                )
            ],
            capabilities=docker.ContainerCapabilitiesArgs(
                drops=["ALL"],
                # The entrypoint owns /data, then becomes a user without any of these.
                adds=["CAP_CHOWN", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID"],
            ),
            security_opts=["no-new-privileges:true"],
            ports=[
                docker.ContainerPortArgs(internal=inside, external=outside, ip=host.bind, protocol="tcp")
                for inside, outside in ports.items()
            ],
            volumes=[
                docker.ContainerVolumeArgs(host_path=there, container_path=inside)
                for there, inside in volumes.items()
            ],
            uploads=[
                docker.ContainerUploadArgs(file=file, content=content) for file, content in uploads.items()
            ],
            labels=container_labels(self._stack, "proxy"),
            log_driver="json-file",
            log_opts=LOG_LIMITS,
            destroy_grace_seconds=5,
            must_run=True,
            opts=pulumi.ResourceOptions.merge(
                self._there, pulumi.ResourceOptions(delete_before_replace=True, depends_on=[fence])
            ),
        )

    def _home_limits(self, images: ImageStore) -> list[pulumi.Output[str]]:
        """Keep homes within the limits that the hubs' settings name; known once they are."""
        homes = {
            hub: (self._places[hub].homes(self._host.data_dir), gb)
            for hub, gb in limited(self._settings.every_hub).items()
        }
        if not homes:
            return []
        container = home_limits_container(
            homes,
            name=Names(self._stack).home_limits,
            stack=self._stack,
            image=images.own("hub"),
            engine=self._engine,
            opts=self._there,
        )
        return [container]

    def _spaces(self, images: ImageStore, config: pulumi.Config) -> None:
        """Mount the remote folders that the hubs' settings name."""
        spaces = remote_spaces(list(self._settings.every_hub.values()))
        for name, space in spaces.items():
            folder = f"{self._host.data_dir}/{FOLDER}/{name}"
            space_container(
                space,
                name=Names(self._stack).space(name),
                stack=self._stack,
                folder=folder,
                image=folder_made(images.own("spaces"), self._engine, folder),
                keys=config.require_secret_object("spaceKeys"),
                opts=self._there,
            )

    def _with_certificate(self, tls: FilesTls, image: pulumi.Output[str], folder: str) -> pulumi.Output[str]:
        """The proxy's image, once the certificate is on the machine."""

        def put(known: dict[str, Any]) -> str:
            if not pulumi.runtime.is_dry_run():
                put_certificate(tls, known["engine"], known["image"], folder)
            return str(known["image"])

        return pulumi.Output.all(engine=self._engine, image=image).apply(put)


def site_names(hostname: str | None, address: str, bind: str) -> list[str]:
    """The names and addresses that the proxy has a certificate for, the main one first."""
    names_ = [hostname, address] if hostname else [address]
    if bind.startswith("127."):
        names_ += ["localhost", bind]
    return list(dict.fromkeys(names_))


def _engine(host: Host) -> pulumi.Output[Engine]:
    """The machine's engine, once it answers."""
    return pulumi.Output.all(address=host.address, docker_host=host.docker_host).apply(
        lambda known: Engine(
            address=known["address"],
            ssh=host.ssh,
            docker_host=known["docker_host"] if host.ssh is None else None,
        )
    )
