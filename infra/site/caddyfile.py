"""The proxy's whole configuration, as a pure function.

The proxy keeps no table of routes: a user's path names the container, Docker's DNS knows where it
is, and whatever nobody answers goes to the hub. So it has nothing to lose, and an upgrade of the
hub closes no connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from hubconfig.container import PROXY_HTTP_PORT, PROXY_HTTPS_PORT
from hubconfig.names import USER_NAME
from infra.site.to_hubs import own_session, to_hub, to_hub_instead
from infra.site.to_servers import Outside, to_server, too_much
from infra.site.user_hosts import ASK, asking, hidden, users_hosts
from infra.stack.settings import AcmeTls, FilesTls, LocalTls, NoTls

SITE: Final = "/etc/caddy/site"
"""The folder inside the proxy's container with all that it watches and takes while it runs."""

CADDYFILE: Final = f"{SITE}/Caddyfile"

ACME_CA: Final = f"{SITE}/acme-ca.crt"
"""Where the certificate that proves another ACME authority lies."""

AUTHORITY: Final = "/data"
"""Where Caddy keeps its own authority and certificates inside the proxy's container."""

CERTIFICATES: Final = "/etc/caddy/tls"
"""Where a certificate of one's own lies inside the proxy's container."""

PATIENCE_S: Final = 60
"""Seconds that a request's headers may take, and that its body may stand still."""

_SLOWEST: Final = 4096
"""Bytes a second that a body must come at, beyond that time; a bad telephone line has twice as many."""

_HEADERS_MAX: Final = "64KB"
"""JupyterHub takes no more."""


@dataclass(frozen=True)
class HubRoute:
    """One hub behind the proxy."""

    name: str
    base_url: str
    """`/`, or `/astro/`."""
    host: str
    """The hub container's name."""
    user_prefix: str
    """The start of its users' containers' names."""


@dataclass(frozen=True)
class SiteRoutes:
    """All that the proxy must know."""

    names: Sequence[str]
    """Names and addresses that the site is reached by, the main one first."""
    https_port: int
    """The port that browsers use."""
    tls: LocalTls | AcmeTls | FilesTls | NoTls
    hubs: Sequence[HubRoute]
    public_url: str | None = None
    """The address that browsers use where another proxy ends TLS."""
    user_domain: str | None = None
    """The domain in which each user's server has a host of its own; None: all have the site's."""

    @property
    def main(self) -> str:
        """The site's address as browsers write it, where its TLS ends here."""
        return f"https://{_bracketed(self.names[0])}{self.port}"

    @property
    def port(self) -> str:
        """What stands behind a name in an address."""
        return "" if self.https_port == 443 else f":{self.https_port}"

    @property
    def asks(self) -> bool:
        """Whether certificates are got for one user's host after another, as somebody first comes to it."""
        return self.user_domain is not None and isinstance(self.tls, LocalTls | AcmeTls)

    @property
    def outside(self) -> Outside:
        """How browsers reach it."""
        if self.public_url is None:
            return Outside(secure=not isinstance(self.tls, NoTls))
        return Outside(secure=True, host=self.public_url.removeprefix("https://"))


def caddyfile(site: SiteRoutes) -> str:
    """The text of the Caddyfile."""
    blocks = [_options(site)]
    if isinstance(site.tls, NoTls):
        blocks.append(f"http:// {{\n{_security(site.tls)}{_routes(site)}}}\n")
        return "\n".join(blocks)
    ours = [*site.names, *([f"*.{site.user_domain}"] if site.user_domain else [])]
    # Another name that leads here is somebody else's to choose: it is not sent on under that name.
    blocks.append(
        f"http:// {{\n\t@others not host {' '.join(ours)}\n"
        f"\tredir @others {site.main}{{uri}} 308\n"
        f"\tredir https://{{host}}{site.port}{{uri}} 308\n}}\n"
    )
    addresses = [f"https://{_bracketed(name)}" for name in site.names]
    head = _tls(site.tls) + _security(site.tls)
    if site.user_domain is None:
        blocks.append(f"{', '.join(addresses)} {{\n{head}{_routes(site)}}}\n")
        return "\n".join(blocks)
    blocks.append(f"{addresses[0]} {{\n{head}{_routes(site)}}}\n")
    if addresses[1:]:
        # Signed in there, nobody would be at the name to which users' servers send for signing in.
        blocks.append(f"{', '.join(addresses[1:])} {{\n{head}\tredir {site.main}{{uri}} 308\n}}\n")
    tls = _tls(site.tls, on_demand=site.asks)
    blocks.append(
        users_hosts(
            site.user_domain, site.hubs, main=site.main, tls=tls, security=partial(_security, site.tls)
        )
    )
    if site.asks:
        blocks.append(asking(site.user_domain, site.hubs))
    return "\n".join(blocks)


def _options(site: SiteRoutes) -> str:
    lines = [
        "admin unix//run/caddy/admin.sock",
        "persist_config off",
        "auto_https disable_redirects",
        "skip_install_trust",
        f"http_port {PROXY_HTTP_PORT}",
        f"https_port {PROXY_HTTPS_PORT}",
        # A browser that knows only an address sends no name; it gets the main name's certificate.
        f"default_sni {site.names[0]}",
        # What is under way when a hub comes or goes ends by itself. Docker does not wait so long at a stop.
        "grace_period 1h",
        "log {\n\t\tlevel WARN\n\t}",
        _servers(site.tls),
    ]
    if isinstance(site.tls, AcmeTls):
        if site.tls.email:
            lines.append(f"email {site.tls.email}")
        if site.tls.directory:
            lines.append(f"acme_ca {site.tls.directory}")
        elif site.tls.staging:
            lines.append("acme_ca https://acme-staging-v02.api.letsencrypt.org/directory")
        if site.tls.directory_ca_file:
            lines.append(f"acme_ca_root {ACME_CA}")
    if site.asks:
        lines.append(ASK)
    body = "".join(f"\t{line}\n" for line in lines)
    return f"{{\n{body}}}\n"


def _servers(tls: LocalTls | AcmeTls | FilesTls | NoTls) -> str:
    """How connections are treated, whatever comes by them."""
    lines = [
        "trusted_proxies static private_ranges" if isinstance(tls, NoTls) else "protocols h1 h2",
        f"max_header_size {_HEADERS_MAX}",
        "timeouts {",
        f"\tread_header {PATIENCE_S}s",
        f"\tread_body_idle {PATIENCE_S}s {_SLOWEST}",
        "}",
    ]
    return "servers {\n" + "".join(f"\t\t{line}\n" for line in lines) + "\t}"


def _tls(tls: LocalTls | AcmeTls | FilesTls, *, on_demand: bool = False) -> str:
    when = " {\n\t\ton_demand\n\t}" if on_demand else ""
    match tls:
        case LocalTls():
            return f"\ttls internal{when}\n"
        case FilesTls():
            return f"\ttls {CERTIFICATES}/ssl.crt {CERTIFICATES}/ssl.key\n"
        case AcmeTls():
            return f"\ttls{when}\n" if when else ""


def _security(tls: LocalTls | AcmeTls | FilesTls | NoTls, indent: str = "\t") -> str:
    lines = ["-Server", "X-Content-Type-Options nosniff", "?Referrer-Policy strict-origin-when-cross-origin"]
    # A browser remembers HSTS by name: on `localhost` it would break every other program there.
    if isinstance(tls, AcmeTls | FilesTls):
        lines.append('Strict-Transport-Security "max-age=31536000"')
    body = "".join(f"{indent}\t{line}\n" for line in lines)
    return f"{indent}header {{\n{body}{indent}}}\n"


def _routes(site: SiteRoutes) -> str:
    # The longest base path first: `/` would take everything.
    hubs = sorted(site.hubs, key=lambda hub: len(hub.base_url), reverse=True)
    if site.user_domain is None:
        paths = "".join(_user_paths(hub, outside=site.outside) + _hub_routes(hub, site) for hub in hubs)
        return paths + _dead_ends(hubs, site)
    return "".join(hidden(hub) + _hub_routes(hub, site) for hub in hubs) + _dead_ends([], site)


def _matcher(hub: HubRoute) -> str:
    return f"user_{hub.name.replace('-', '_')}"


def _user_paths(hub: HubRoute, *, outside: Outside) -> str:
    match = _matcher(hub)
    bare = hub.base_url.rstrip("/")
    user = f"{{re.{match}.1}}"
    server = to_server(
        f"{hub.user_prefix}{user}", f"{hub.base_url}user/{user}/", matcher=match, outside=outside
    )
    return f"""\
\t@{match} path_regexp {match} ^{bare}/user/({USER_NAME.pattern})(?:/.*)?$
\thandle @{match} {{
{own_session(hub.name)}{server}\t}}
"""


def _hub_routes(hub: HubRoute, site: SiteRoutes) -> str:
    inside = "" if hub.base_url == "/" else f" {hub.base_url}*"
    bare = hub.base_url.rstrip("/")
    redirect = f"\tredir {bare} {hub.base_url} 308\n" if bare else ""
    return f"""\
{redirect}\thandle{inside} {{
{to_hub(hub.host, hub.base_url, name=hub.name, outside=site.outside)}\t}}
"""


def _dead_ends(hubs: Sequence[HubRoute], site: SiteRoutes) -> str:
    """What happens where nobody answers: a user's path goes to the hub, which offers to start a server."""
    fallbacks = "".join(
        f"""\
\t\thandle @{_matcher(hub)} {{
{to_hub_instead(hub.host, name=hub.name, outside=site.outside)}\t\t}}
"""
        for hub in hubs
    )
    head = _security(site.tls, "\t\t")
    return f"""\
\thandle_errors 502 503 504 {{
{head}{fallbacks}\t\thandle {{
\t\t\theader Retry-After 5
\t\t\trespond "The hub is starting. This page will answer in a few seconds: reload it." 503
\t\t}}
\t}}
{too_much(head)}"""


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
