"""Everything on one machine's Docker engine: what is put there, in order. Knows no cloud."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

from hubconfig.data_folder import DataFolder
from hubconfig.options import limited_homes, remote_spaces
from infra.dock import Dock
from infra.engine import Engine
from infra.host import Host
from infra.images.store import ImageStore
from infra.site.addresses import Addresses, addresses, kept
from infra.site.answering import answering
from infra.site.backup import backup_container
from infra.site.bounds import limited_processes
from infra.site.caddyfile import HubRoute, SiteRoutes, caddyfile
from infra.site.fence import fence
from infra.site.home_limits import home_limits_container
from infra.site.hub import Hub, HubPlace
from infra.site.network import network
from infra.site.orphans import swept
from infra.site.proxy import proxy
from infra.site.spaces import space_container
from infra.stack import state
from infra.stack.clouds import ImageSource
from infra.stack.secrets import Secrets
from infra.stack.settings import NoTls, Settings

_IDLE_MB = 160
"""A JupyterLab with one idle kernel takes 154 MB (measured)."""

_SYSTEM_MB = 300
"""Kernel, Docker, hub and proxy."""


class Site(pulumi.ComponentResource):
    """The hubs of a stack behind one proxy."""

    url: pulumi.Output[str]
    """Where browsers go; resolves when the hub answers there."""

    def __init__(self, name: str, host: Host, settings: Settings, secrets: Secrets) -> None:
        """Put a site on a machine."""
        super().__init__("cyberhubs:hub:Site", name, None)
        self._host = host
        self._settings = settings
        self._secrets = secrets
        stack = pulumi.get_stack()
        sent = _image_source(settings, host) == "ship"
        self._dock = _dock(host, swept(_engine(host), stack, settings.every_hub, sent=sent), stack, self)
        self.addresses: Addresses = addresses(settings.network.subnet, stack)
        images = ImageStore(
            settings.images,
            _image_source(settings, host),
            dock=self._dock,
            here=pulumi.ResourceOptions(parent=self),
        )
        network_ = network(self._dock, self.addresses, images.own("fence"))
        self._places = self._hub_places(network_)
        guarded = [place.address for place in self._places.values()]
        fence_ = fence(
            self._dock, host, network_, self.addresses, guarded, images.own("fence"), self._per_address()
        )
        hubs = self._hubs(images, fence_)
        limits = self._home_limits(images)
        proxy_ = proxy(
            self._dock,
            host,
            settings.web,
            network_,
            self.addresses,
            images.own("proxy"),
            self._caddyfile(),
            fence_,
        )
        self._spaces(images)
        bounded = [fence_, proxy_, *(hub.container for hub in hubs), *self._backup(images)]
        self.url = answering(
            self._site_url(),
            self._dock,
            [limited_processes(self._dock, bounded), *limits],
            {place.container: place.base_url for place in self._places.values()},
            behind_another=isinstance(settings.web.tls, NoTls),
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
        if self._settings.web.public_url is not None:
            return pulumi.Output.from_input(self._settings.web.public_url)
        plain = isinstance(self._settings.web.tls, NoTls)
        scheme, usual = ("http", 80) if plain else ("https", 443)
        port = self._host.http_port if plain else self._host.https_port
        name = self._settings.web.hostname or self._host.address
        return pulumi.Output.concat(scheme, "://", name, "" if port == usual else f":{port}")

    def _hub_places(self, network_: docker.Network) -> dict[str, HubPlace]:
        host, hubs = self._host, self._settings.every_hub
        given = self.addresses.hubs(hubs, kept(state.resources().values()))
        return {
            hub: HubPlace(
                name=hub,
                stack=self._dock.stack,
                folder=DataFolder.at(host.data_dir).hub(hub),
                site_url=self._site_url(),
                user_domain=self._settings.user_domain,
                network=network_,
                address=given[hub],
                servers_max=options.limits.servers or max(1, (host.memory_mb - _SYSTEM_MB) // _IDLE_MB),
            )
            for hub, options in hubs.items()
        }

    def _hubs(self, images: ImageStore, fence_: docker.Container) -> list[Hub]:
        hubs = self._settings.every_hub
        for options in hubs.values():
            for entry in options.menu:
                images.application(entry)  # so that each hub knows which images the others keep
        opts = pulumi.ResourceOptions(parent=self, depends_on=[fence_])
        return [
            Hub(self._places[hub], self._dock, self._host, options, images, self._secrets.hubs[hub], opts)
            for hub, options in hubs.items()
        ]

    def _spaces(self, images: ImageStore) -> None:
        for space in remote_spaces([*self._settings.every_hub.values()]).values():
            space_container(self._dock, self._host, space, images.own("spaces"), self._secrets.space_keys)

    def _backup(self, images: ImageStore) -> list[docker.Container]:
        if self._settings.backup is None:
            return []
        return [
            backup_container(
                self._dock,
                self._host,
                self._settings.backup,
                self._settings.every_hub,
                images.own("backup"),
                self._secrets.backup,
            )
        ]

    def _per_address(self) -> int:
        """Connections that an address outside may have; behind another proxy all have that one's."""
        web = self._settings.web
        if isinstance(web.tls, NoTls):
            return 0
        if web.connections_per_address is not None:
            return web.connections_per_address
        return min(4000, max(1000, self._host.memory_mb // 1000 * 1000))

    def _home_limits(self, images: ImageStore) -> list[pulumi.Output[str]]:
        """Keep homes within the limits that the hubs' settings name; known once they are."""
        homes = {
            hub: (str(self._places[hub].folder.homes), gb)
            for hub, gb in limited_homes(self._settings.every_hub).items()
        }
        return [home_limits_container(self._dock, homes, images.own("hub"))] if homes else []

    def _caddyfile(self) -> pulumi.Output[str]:
        host, web = self._host, self._settings.web
        return pulumi.Output.from_input(host.address).apply(
            lambda address: caddyfile(
                SiteRoutes(
                    names=site_names(web.hostname, address, host.bind),
                    https_port=host.https_port,
                    tls=web.tls,
                    public_url=web.public_url,
                    user_domain=self._settings.user_domain,
                    hubs=[
                        HubRoute(place.name, place.base_url, place.container, place.user_prefix)
                        for place in self._places.values()
                    ],
                )
            )
        )


def site_names(hostname: str | None, address: str, bind: str) -> list[str]:
    """The names and addresses that the proxy has a certificate for, the main one first."""
    names_ = [hostname, address] if hostname else [address]
    if bind.startswith("127."):
        names_ += ["localhost", bind]
    return list(dict.fromkeys(names_))


def _image_source(settings: Settings, host: Host) -> ImageSource:
    """Where images come from: to this computer's own engine none need be sent."""
    source = settings.image_source
    return "build" if source == "ship" and host.ssh is None else source


def _engine(host: Host) -> pulumi.Output[Engine]:
    """The machine's engine, once it answers."""
    return pulumi.Output.all(address=host.address, docker_host=host.docker_host).apply(
        lambda known: Engine(
            address=known["address"],
            ssh=host.ssh,
            docker_host=known["docker_host"] if host.ssh is None else None,
        )
    )


def _dock(host: Host, engine: pulumi.Output[Engine], stack: str, site: pulumi.Resource) -> Dock:
    provider = docker.Provider(
        "engine",
        host=engine.apply(
            lambda known: known.docker_host if known.ssh is None else known.ssh.url(known.address)
        ),
        ssh_opts=[*host.ssh.options()] if host.ssh else None,
        opts=pulumi.ResourceOptions(parent=site, deleted_with=host.machine),
    )
    # A machine that is gone takes its containers along; a new one gets new containers.
    options = pulumi.ResourceOptions(
        parent=site,
        provider=provider,
        deleted_with=host.machine,
        replace_with=[which for which in (host.machine, host.identity) if which] or None,
    )
    return Dock(stack=stack, engine=engine, options=options)
