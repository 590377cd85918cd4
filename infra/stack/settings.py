"""A stack file's settings: checked once, all faults in one message, before the first resource.

Each field's docstring is its line in the settings reference.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, HttpUrl, StringConstraints, model_validator

from hubconfig.data_folder import hub_refusal
from hubconfig.names import FIRST_HUB, PATHS_OF_FIRST_HUB
from hubconfig.options import HubOptions
from hubconfig.section import Changing, Section
from hubconfig.setting_types import ImageName, Name
from infra.stack.clouds import NEW_PORTS, Cloud, ImageSource

NO_RESTART = Changing("Taken over at the next `pulumi up`; nothing restarts.")
NEW_NAME = Changing("The proxy restarts; register the new callback URL.")
NEW_PUBLIC_URL = Changing("The proxy goes on, hubs restart; register the new callback URL.")
NEW_HOSTS = Changing(
    "The hubs restart, and everybody signs in anew. Running servers go on: load open pages anew; from one "
    "domain to another, or back to none, stop and start them."
)
NEW_NETWORK = Changing("Every running server is stopped and the network made anew.")
NEW_IMAGES = Changing("Images are made anew; proxy and hub restart, running servers keep theirs.")
BACKUP_RESTART = Changing("The backup's container restarts; the hub goes on.")
FENCE_RESTART = Changing("The fence restarts; nobody's work is interrupted.")


def _subnet(value: str) -> str:
    network = ipaddress.IPv4Network(value)
    if not 16 <= network.prefixlen <= 24:
        raise ValueError("must be a network from /16 to /24, such as 10.200.0.0/20")
    return str(network)


def _without_password(value: str) -> str:
    if re.search(r"://[^/@]*:[^/@]*@", value):
        raise ValueError("holds a password, which anybody could read; give it in backupCredentials instead")
    return value


Email = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_|~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
]
_HOSTNAME = r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}"
Hostname = Annotated[str, StringConstraints(to_lower=True, max_length=253, pattern=f"^{_HOSTNAME}$")]
UserDomain = Annotated[
    str,
    # A user's label and its dot come before it.
    StringConstraints(to_lower=True, max_length=189, pattern=rf"^((?i:localhost|none)|{_HOSTNAME})$"),
]
Repository = Annotated[
    str,
    StringConstraints(pattern=r"^(/|s3:|swift:|rest:|azure:|gs:|b2:|rclone:)[^\s]+$"),
    AfterValidator(_without_password),
]
Subnet = Annotated[str, AfterValidator(_subnet)]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")]


def _public_url(value: str) -> str:
    form = "write the address that browsers use, such as https://hub.example.org"
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        raise ValueError(f"is no address; {form}") from None
    if url.scheme != "https":
        raise ValueError(f"must begin with https://, as the proxy before the hub ends TLS; {form}")
    if "@" in url.netloc or url.query or url.fragment or not re.fullmatch(_HOSTNAME, url.hostname or ""):
        raise ValueError(f"must be a name, and its port if that is not 443; {form}")
    if port == 0:
        raise ValueError(f"has no port that there is; {form}")
    if url.path not in {"", "/"}:
        raise ValueError(
            "has a path, which the hub's pages cannot have: give it a name of its own at the other proxy"
        )
    return f"https://{url.hostname}" + ("" if port in {None, 443} else f":{port}")


PublicUrl = Annotated[str, AfterValidator(_public_url)]


class LocalTls(Section):
    """Certificates of the hub's own certificate authority, which browsers do not know."""

    kind: Literal["local"]


class AcmeTls(Section):
    """Certificates of Let's Encrypt, renewed without anybody's doing. Needs web.hostname."""

    kind: Literal["acme"]
    email: Annotated[Email | None, NEW_PORTS] = None
    """Where the authority writes about trouble with the certificate."""
    staging: Annotated[bool, NEW_PORTS] = False
    """Use Let's Encrypt's test authority: browsers refuse it, its limits are generous."""
    directory: Annotated[HttpUrl | None, NEW_PORTS] = None
    """Another ACME authority's directory."""
    directory_ca_file: Annotated[str | None, NEW_PORTS] = None
    """The certificate that proves that authority, when the public ones do not; a file on this computer."""


class FilesTls(Section):
    """A certificate of your own: ssl.crt and ssl.key, replaced without a restart."""

    kind: Literal["files"]
    certificate_file: Annotated[str, NO_RESTART]
    """The certificate with its chain, PEM; a file on this computer."""
    key_file: Annotated[str, NO_RESTART]
    """Its private key, PEM; a file on this computer."""


class NoTls(Section):
    """Plain http, for a hub behind another proxy that ends TLS."""

    kind: Literal["none"]


class Web(Section):
    """How browsers reach the hub."""

    hostname: Annotated[Hostname | None, NEW_NAME] = None
    """The hub's DNS name; None: the machine's address (`localhost` on the local stack)."""
    tls: Annotated[LocalTls | AcmeTls | FilesTls | NoTls, Field(discriminator="kind"), NEW_PORTS] = Field(
        default_factory=lambda: LocalTls(kind="local")
    )
    """Where the certificate comes from."""
    public_url: Annotated[PublicUrl | None, NEW_PUBLIC_URL] = None
    """The address that browsers use where another proxy ends TLS, such as `https://hub.example.org`; only
    with `tls` of kind `none`. Callback, redirects, cookies and printed addresses follow it. None: the hub's
    own."""
    connections_per_address: Annotated[int | None, Field(ge=0, le=65_536), FENCE_RESTART] = None
    """Connections that one address outside may have at once; all people of an institute may share one, and
    each open JupyterLab has up to five. 0: any number. None: 1,000 for each GB of the machine's memory, up to
    4,000; any number with web.tls.kind none, where another proxy has one address for everybody."""
    user_domain: Annotated[UserDomain | None, NEW_HOSTS] = None
    """The domain in which each user's server has a host of its own, such as `users.example.org`, so that its
    pages can do nothing at the hub: see docs/access.md. `none` or None: all have the hub's."""


class Network(Section):
    """The Docker network of proxy, hubs and users' servers."""

    subnet: Annotated[Subnet | None, NEW_NETWORK] = None
    """Its addresses, from /16 to /24; None: a /20 of 10.128.0.0/9 that follows from the stack's name."""


class Images(Section):
    """Where the images of hub, proxy and application hubs come from."""

    source: Annotated[ImageSource | None, NEW_IMAGES] = None
    """`build` on the machine, `ship`: build here and send over SSH, `pull` from a registry.
    None: build, and ship for AWS, whose free machine is too small to build."""
    prefix: Annotated[str, NEW_IMAGES] = "cyberhubs/"
    """What the names of pulled images begin with."""
    tag: Annotated[Tag, NEW_IMAGES] = "latest"
    """Tag of pulled images."""
    base: Annotated[ImageName | None, NEW_IMAGES] = None
    """The Debian image that builds start from; None: the pinned one."""


class Backup(Section):
    """Copies of homes, shared folders and the hubs' state, made with restic."""

    repository: Annotated[Repository, BACKUP_RESTART]
    """Where they go: a folder of the machine, or one of restic's remote places, such as
    `s3:https://HOST/BUCKET` or `swift:CONTAINER:/PATH`. What those need goes into backupCredentials."""
    every_hours: Annotated[int, Field(ge=1, le=24 * 31), BACKUP_RESTART] = 24
    """Hours from one to the next."""
    keep_daily: Annotated[int, Field(ge=1), BACKUP_RESTART] = 7
    """Days of which the last one is kept."""
    keep_weekly: Annotated[int, Field(ge=0), BACKUP_RESTART] = 4
    """Weeks of which the last one is kept."""
    keep_monthly: Annotated[int, Field(ge=0), BACKUP_RESTART] = 6
    """Months of which the last one is kept."""


class Settings(Section):
    """All of a stack file."""

    cloud: Annotated[Cloud, Field(discriminator="kind")]
    """Where the machine is."""
    web: Web = Web()
    network: Network = Network()
    images: Images = Images()
    backup: Backup | None = None
    """Copies of what cannot be made anew; without this section there are none."""
    hub: HubOptions = HubOptions()
    hubs: dict[Name, HubOptions] = Field(default_factory=dict)
    """Further hubs on the same machine, each under its own path: `astro` at https://HOST/astro/."""

    @model_validator(mode="after")
    def _sections_fit(self) -> Self:
        if self.web.tls.kind == "acme" and self.web.hostname is None:
            raise ValueError(
                "web.tls.kind acme needs web.hostname: authorities sign names, and the name must point here"
            )
        if self.web.public_url is not None and self.web.tls.kind != "none":
            raise ValueError(
                "web.publicUrl is for a hub behind another proxy that ends TLS: set web.tls.kind to none, or "
                "leave web.publicUrl out and say the name in web.hostname"
            )
        for hub in self.hubs:
            if hub in PATHS_OF_FIRST_HUB:
                raise ValueError(f"hubs: {hub} is a path of the first hub; choose another name")
            if why := hub_refusal(hub):
                raise ValueError(f"hubs: {why}")
        return self

    @property
    def image_source(self) -> ImageSource:
        """Where images come from, the cloud's own way unless the stack file says."""
        return self.images.source or self.cloud.image_source

    @property
    def user_domain(self) -> str | None:
        """The domain in which each user's server has a host of its own; None where all share the hub's."""
        return None if self.web.user_domain == "none" else self.web.user_domain

    @property
    def every_hub(self) -> dict[str, HubOptions]:
        """All hubs by name."""
        return {FIRST_HUB: self.hub, **self.hubs}
