"""The container that browsers reach."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pulumi
import pulumi_docker as docker

from hubconfig import container
from hubconfig.data_folder import DataFolder
from infra import pem
from infra.dock import Dock
from infra.engine import Engine, EngineError, MissingError, UnreachableError
from infra.host import Host
from infra.site import bounds
from infra.site.addresses import Addresses
from infra.site.caddyfile import ACME_CA, AUTHORITY, CADDYFILE, CERTIFICATES, SITE
from infra.site.certificate import put_certificate
from infra.stack.settings import AcmeTls, FilesTls, NoTls, Web

_TAKE = """\
set -eu
cat >.new
if [ "$1" = Caddyfile ] && ! said=$(caddy validate --config .new --adapter caddyfile 2>&1); then
  rm .new
  echo "$said" >&2
  exit 1
fi
chmod 0644 .new
mv .new "$1"
"""
"""Writes a file whole or not at all; a Caddyfile only if Caddy would take it."""

_REFUSED_LINES = 5


def proxy(
    dock: Dock,
    host: Host,
    web: Web,
    network: docker.Network,
    addresses: Addresses,
    image: pulumi.Output[str],
    configuration: pulumi.Output[str],
    fence: docker.Container,
) -> docker.Container:
    """Have the hubs answer browsers.

    :param configuration: the Caddyfile. It is put beside the container, which takes it while it runs: a hub
        that comes or goes interrupts nobody.
    """
    ports = {container.PROXY_HTTP_PORT: host.http_port}
    if not isinstance(web.tls, NoTls):
        ports[container.PROXY_HTTPS_PORT] = host.https_port
    volumes = _volumes(DataFolder.at(host.data_dir), web)
    taken = _configured(dock, web, volumes, image, configuration)
    return dock.container(
        "proxy",
        "proxy",
        docker.ContainerArgs(
            name=dock.names.proxy,
            image=taken,
            memory=bounds.PROXY.memory_mb(host.memory_mb),
            memory_swap=bounds.PROXY.with_swap_mb(host.memory_mb),
            network_mode="bridge",
            networks_advanced=[
                docker.ContainerNetworksAdvancedArgs(name=network.name, ipv4_address=addresses.proxy)
            ],
            ports=[
                docker.ContainerPortArgs(internal=inside, external=outside, ip=host.bind, protocol="tcp")
                for inside, outside in ports.items()
            ],
            # Else a name that no container has, of a server that is down, is asked for in the machine's
            # own domain, and whoever answers there gets the request and its cookies.
            dns_searches=["."],
            volumes=[
                docker.ContainerVolumeArgs(
                    host_path=there, container_path=inside, read_only=True if inside == SITE else None
                )
                for there, inside in volumes.items()
            ],
            destroy_grace_seconds=5,
        ),
        # The entrypoint owns /data, then becomes a user without any of these.
        rights=["CHOWN", "SETGID", "SETPCAP", "SETUID"],
        opts=pulumi.ResourceOptions(depends_on=[fence]),
    )


def _volumes(folder: DataFolder, web: Web) -> dict[str, str]:
    """Folder on the machine to where the proxy sees it."""
    volumes = {str(folder.proxy): AUTHORITY, str(folder.proxy_settings): SITE}
    return volumes | ({str(folder.tls): CERTIFICATES} if isinstance(web.tls, FilesTls) else {})


def _configured(
    dock: Dock,
    web: Web,
    volumes: Mapping[str, str],
    image: pulumi.Output[str],
    configuration: pulumi.Output[str],
) -> pulumi.Output[str]:
    """The proxy's image, once all that it reads is on the machine."""
    files = {}
    if isinstance(web.tls, AcmeTls) and web.tls.directory_ca_file is not None:
        files[ACME_CA] = pem.pem_text(pem.certificates(web.tls.directory_ca_file))

    def put(engine: Engine, known: tuple[str, str]) -> tuple[str, str]:
        image_id, text = known
        if isinstance(web.tls, FilesTls):
            tls = next(there for there, inside in volumes.items() if inside == CERTIFICATES)
            put_certificate(web.tls, engine, image_id, tls)
        for file, content in {**files, CADDYFILE: text}.items():
            put_file(engine, dock.names.proxy, image_id, volumes, file, content)
        return known

    taken = dock.once(
        pulumi.Output.all(image, configuration).apply(lambda both: (str(both[0]), str(both[1]))),
        put,
        lambda _: "the proxy's configuration was not put on the machine",
    )
    return taken.apply(lambda known: known[0])


def put_file(
    engine: Engine, proxy: str, image: str, volumes: Mapping[str, str], file: str, text: str
) -> None:
    """Write a file that the proxy watches, if it is another one; Caddy looks at a Caddyfile first.

    :param proxy: the proxy's container, which says fastest what is there already.
    :param volumes: folder on the machine to where the proxy sees it.

    Raises pulumi.RunError with Caddy's words when Caddy would not take it; MissingError, UnreachableError.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()
    if _there(engine, proxy, file) == digest:
        return
    # Not the folder of its authority: to look makes one where there is none.
    shown = [
        word
        for there, inside in volumes.items()
        if inside != AUTHORITY
        for word in ("--volume", f"{there}:{inside}")
    ]
    name = file.rpartition("/")[2]
    try:
        engine.run(
            *("run", "--rm", "--interactive", "--network", "none", "--user", "0", "--entrypoint", "sh"),
            *(*shown, "--workdir", SITE, image, "-c", _TAKE, "sh", name),
            text=text,
        )
    except (MissingError, UnreachableError):
        raise
    except EngineError as error:
        said = "\n".join(str(error).splitlines()[-_REFUSED_LINES:])
        raise pulumi.RunError(
            f"the proxy cannot use the configuration that follows from the settings of web and hubs, and "
            f"goes on with the one it has. Caddy says:\n{said}"
        ) from None


def _there(engine: Engine, proxy: str, file: str) -> str | None:
    """The digest of a file that a running proxy sees; None where there is neither."""
    try:
        return engine.run("exec", proxy, "sha256sum", file).split(" ")[0]
    except UnreachableError:
        raise
    except EngineError:
        return None
