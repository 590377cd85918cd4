"""One hub's container: its settings, its secrets and its code."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_docker as docker

from hubconfig.names import Names
from hubconfig.options import HubOptions
from hubconfig.settings import HubSettings
from hubconfig.space_options import FolderSpace
from infra.dock import LOG_LIMITS, container_labels
from infra.host import Host
from infra.images.contexts import ROOT
from infra.images.store import ImageStore
from infra.site.spaces import FOLDER

CODE_DIR = "/srv/cyberhub"
SECRETS_DIR = "/run/secrets"

_CODE = ROOT / "hubconfig"
_CODE_KINDS = {".py", ".html", ".css", ".js", ".svg"}


@dataclass(frozen=True)
class HubPlace:
    """Where a hub is, on its site and on its machine."""

    name: str
    """`hub`, or that of a further hub."""
    stack: str
    site_url: pulumi.Output[str]
    network: docker.Network
    address: str
    """Its address on the network."""
    servers_max: int
    """Servers that may run at once."""

    @property
    def base_url(self) -> str:
        """`/` for the first hub, `/astro/` for a further one."""
        return "/" if self.name == "hub" else f"/{self.name}/"

    @property
    def container(self) -> str:
        """The container's name, by which proxy and servers find it."""
        return Names(self.stack).hub(self.name)

    @property
    def user_prefix(self) -> str:
        """The start of users' containers' names."""
        return Names(self.stack).user_prefix(self.name)

    def folder(self, data_dir: str) -> str:
        """The hub's own folder on the data volume."""
        return f"{data_dir}/cyberhub/{self.name}"

    def homes(self, data_dir: str) -> str:
        """The folder of homes; further hubs have their own, as a name may be another person there."""
        if self.name == "hub":
            return f"{data_dir}/jupyterhub_users"
        return f"{self.folder(data_dir)}/jupyterhub_users"


class Hub(pulumi.ComponentResource):
    """A hub that answers at its base path."""

    container: docker.Container

    def __init__(
        self,
        place: HubPlace,
        host: Host,
        options: HubOptions,
        images: ImageStore,
        secrets: Mapping[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions,
        docker_opts: pulumi.ResourceOptions,
    ) -> None:
        """Put one hub on the machine.

        :param docker_opts: options of everything that is on the machine's engine.
        """
        super().__init__("cyberhubs:hub:Hub", place.name, None, opts)
        child = pulumi.ResourceOptions.merge(docker_opts, pulumi.ResourceOptions(parent=self))
        applications = {entry.name: images.application(entry) for entry in options.menu}
        settings = pulumi.Output.all(
            url=place.site_url, images=applications, network=place.network.name, kept=images.every()
        ).apply(
            lambda known: HubSettings(
                name=place.name,
                stack=place.stack,
                options=options,
                public_url=known["url"] + place.base_url.rstrip("/"),
                base_url=place.base_url,
                hub_host=place.container,
                network=known["network"],
                user_prefix=place.user_prefix,
                homes_dir=place.homes(host.data_dir),
                space_dirs=space_dirs(options, host.data_dir),
                images=known["images"],
                servers_max=place.servers_max,
                images_kept=known["kept"],
                images_prefix=images.prefix,
                machine_is_ours=isinstance(host.machine, pulumi.CustomResource),
            ).to_json()
        )
        folder = place.folder(host.data_dir)
        self.container = docker.Container(
            f"{place.name}-hub",
            name=place.container,
            image=images.own("hub"),
            restart="unless-stopped",
            init=True,
            network_mode="bridge",
            networks_advanced=[
                docker.ContainerNetworksAdvancedArgs(name=place.network.name, ipv4_address=place.address)
            ],
            capabilities=docker.ContainerCapabilitiesArgs(
                drops=["ALL"],
                adds=[
                    # The entrypoint owns the folders, then becomes a user without any of these.
                    *("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"),
                    *("CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID"),
                ],
            ),
            security_opts=["no-new-privileges:true"],
            tmpfs={"/run/cyberhub": "mode=0700,size=1m", "/tmp": "mode=1777,size=64m"},  # noqa: S108
            volumes=[
                docker.ContainerVolumeArgs(host_path=f"{folder}/state", container_path="/srv/state"),
                docker.ContainerVolumeArgs(host_path=f"{folder}/access", container_path="/srv/access"),
                docker.ContainerVolumeArgs(host_path=place.homes(host.data_dir), container_path="/srv/homes"),
                docker.ContainerVolumeArgs(
                    host_path="/var/run/docker.sock", container_path="/var/run/docker.sock"
                ),
                # So that the folders are there, and belong to users, before the first server starts.
                *(
                    docker.ContainerVolumeArgs(
                        host_path=f"{host.data_dir}/{space.source}",
                        container_path=f"/srv/spaces/{space.name}",
                        read_only=space.read_only,
                    )
                    for space in folders_of_ours(options)
                ),
            ],
            uploads=[
                docker.ContainerUploadArgs(file=f"{CODE_DIR}/settings.json", content=settings),
                *(
                    docker.ContainerUploadArgs(
                        file=f"{SECRETS_DIR}/{name}", content=pulumi.Output.secret(value), permissions="0600"
                    )
                    for name, value in sorted(secrets.items())
                ),
                code_upload(),
            ],
            labels=container_labels(place.stack, "hub", place.name),
            log_driver="json-file",
            log_opts=LOG_LIMITS,
            # Long enough for JupyterHub to write its database; servers of users are left alone.
            destroy_grace_seconds=10,
            must_run=True,
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(delete_before_replace=True)),
        )
        self.register_outputs({"container": self.container.name})


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
        file=f"{CODE_DIR}/hubconfig.tar", content_base64=base64.b64encode(packed.getvalue()).decode()
    )


def folders_of_ours(options: HubOptions) -> list[FolderSpace]:
    """The shared folders on the data volume; those elsewhere on the machine are somebody else's."""
    return [
        space
        for space in options.spaces
        if isinstance(space, FolderSpace) and not space.source.startswith("/")
    ]


def space_dirs(options: HubOptions, data_dir: str) -> dict[str, str]:
    """Space name to the folder on the machine that every server sees."""
    return {
        space.name: str(Path(data_dir) / space.source)
        if isinstance(space, FolderSpace)
        else f"{data_dir}/{FOLDER}/{space.name}"
        for space in options.spaces
    }
