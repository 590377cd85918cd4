"""One hub's container: its settings, its secrets and its code."""

from __future__ import annotations

import base64
import io
import tarfile
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from hubconfig import container
from hubconfig.data_folder import DataFolder, HubFolder
from hubconfig.names import FIRST_HUB, Names, former_hub
from hubconfig.options import HubOptions
from hubconfig.settings import HubSettings
from hubconfig.space_options import FolderSpace
from infra.dock import Dock, secret_uploads
from infra.host import Host
from infra.images.contexts import ROOT
from infra.images.store import ImageStore
from infra.site import bounds
from infra.stack.secrets import Files

_CODE = ROOT / "hubconfig"
_CODE_KINDS = {".py", ".html", ".css", ".js", ".svg"}


@dataclass(frozen=True)
class HubPlace:
    """Where a hub is, on its site and on its machine."""

    name: str
    """names.FIRST_HUB, or that of a further hub."""
    stack: str
    folder: HubFolder
    """On the machine."""
    site_url: pulumi.Output[str]
    user_domain: str | None
    """Where its users' servers have hosts of their own; None: they have the site's."""
    network: docker.Network
    address: str
    """Its address on the network."""
    servers_max: int
    """Servers that may run at once."""

    @property
    def base_url(self) -> str:
        """`/` for the first hub, `/astro/` for a further one."""
        return "/" if self.name == FIRST_HUB else f"/{self.name}/"

    @property
    def container(self) -> str:
        """The container's name, by which proxy and servers find it."""
        return Names(self.stack).hub(self.name)

    @property
    def user_prefix(self) -> str:
        """The start of users' containers' names."""
        return Names(self.stack).user_prefix(self.name)

    @property
    def aliases(self) -> list[str] | None:
        """What else it is called on the network: servers that an older version started ask for it so."""
        former = former_hub(self.stack, self.name)
        return [former] if former != self.container else None


class Hub(pulumi.ComponentResource):
    """A hub that answers at its base path."""

    container: docker.Container

    def __init__(
        self,
        place: HubPlace,
        dock: Dock,
        host: Host,
        options: HubOptions,
        images: ImageStore,
        secrets: Files,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Put one hub on the machine.

        :param opts: of the component; what must be there first goes in, too.
        """
        super().__init__("cyberhubs:hub:Hub", place.name, None, opts)
        data = DataFolder.at(host.data_dir)
        settings = _settings(place, host, options, images)
        self.container = dock.container(
            f"{place.name}-hub",
            "hub",
            docker.ContainerArgs(
                name=place.container,
                image=images.own("hub"),
                memory=bounds.HUB.memory_mb(host.memory_mb),
                memory_swap=bounds.HUB.with_swap_mb(host.memory_mb),
                init=True,
                network_mode="bridge",
                networks_advanced=[
                    docker.ContainerNetworksAdvancedArgs(
                        name=place.network.name, ipv4_address=place.address, aliases=place.aliases
                    )
                ],
                envs=[f"{name}={value}" for name, value in sorted(container.environment().items())],
                tmpfs={str(container.SECRETS): "mode=0700,size=1m", "/tmp": "mode=1777,size=64m"},  # noqa: S108 - inside
                volumes=_volumes(place, options, data),
                uploads=[
                    docker.ContainerUploadArgs(file=str(container.SETTINGS_FILE), content=settings),
                    *secret_uploads(secrets),
                    code_upload(),
                ],
                # Long enough for JupyterHub to write its database; servers of users are left alone.
                destroy_grace_seconds=10,
            ),
            # The entrypoint owns the folders, then becomes a user without any of these.
            rights=["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETPCAP", "SETUID"],
            hub=place.name,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"container": self.container.name})


def _settings(place: HubPlace, host: Host, options: HubOptions, images: ImageStore) -> pulumi.Output[str]:
    """What the hub's code is told, as JSON."""
    data = DataFolder.at(host.data_dir)
    applications = {entry.name: images.application(entry) for entry in options.menu}
    return pulumi.Output.all(
        url=place.site_url, images=applications, network=place.network.name, kept=images.every()
    ).apply(
        lambda known: HubSettings(
            name=place.name,
            stack=place.stack,
            options=options,
            public_url=known["url"] + place.base_url.rstrip("/"),
            base_url=place.base_url,
            user_domain=place.user_domain,
            hub_host=place.container,
            network=known["network"],
            user_prefix=place.user_prefix,
            homes_dir=str(place.folder.homes),
            space_dirs=space_dirs(options, data),
            images=known["images"],
            servers_max=place.servers_max,
            images_kept=known["kept"],
            images_prefix=images.prefix,
            machine_is_ours=isinstance(host.machine, pulumi.CustomResource),
        ).to_json()
    )


def _volumes(place: HubPlace, options: HubOptions, data: DataFolder) -> list[docker.ContainerVolumeArgs]:
    folders = {
        str(place.folder.state): container.STATE,
        str(place.folder.access): container.ACCESS,
        str(place.folder.homes): container.HOMES,
        str(container.DOCKER_SOCKET): container.DOCKER_SOCKET,
    }
    return [
        *(
            docker.ContainerVolumeArgs(host_path=folder, container_path=str(inside))
            for folder, inside in folders.items()
        ),
        # So that the folders are there, and belong to users, before the first server starts.
        *(
            docker.ContainerVolumeArgs(
                host_path=str(data.shared(space.source)),
                container_path=f"{container.SPACES}/{space.name}",
                read_only=space.read_only,
            )
            for space in folders_of_ours(options)
        ),
    ]


def code_upload() -> docker.ContainerUploadArgs:
    """The hub's code: a change restarts the hub and builds no image.

    One archive, which the hub's entrypoint unpacks: the provider compares each file with each other, and
    Docker starts a process to put each in. As 43 files the code cost every update 2 s of a processor
    (measured), and an upgrade a longer time without a hub.
    """
    files = sorted(
        file
        for file in _CODE.rglob("*")
        if file.suffix in _CODE_KINDS and (_CODE / "images") not in file.parents
    )
    packed = io.BytesIO()
    # Not compressed: the same files must give the same bytes on every computer.
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for file in files:
            entry = tarfile.TarInfo(f"hubconfig/{file.relative_to(_CODE)}")
            entry.size = file.stat().st_size
            with file.open("rb") as content:
                archive.addfile(entry, content)
    return docker.ContainerUploadArgs(
        file=str(container.CODE_ARCHIVE), content_base64=base64.b64encode(packed.getvalue()).decode()
    )


def folders_of_ours(options: HubOptions) -> list[FolderSpace]:
    """The shared folders on the data volume; those elsewhere on the machine are somebody else's."""
    return [
        space
        for space in options.spaces
        if isinstance(space, FolderSpace) and not space.source.startswith("/")
    ]


def space_dirs(options: HubOptions, data: DataFolder) -> dict[str, str]:
    """Space name to the folder on the machine that every server sees."""
    return {
        space.name: str(
            data.shared(space.source) if isinstance(space, FolderSpace) else data.space(space.name)
        )
        for space in options.spaces
    }
