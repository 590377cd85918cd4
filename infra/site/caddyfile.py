"""The proxy's whole configuration, as a pure function.

The proxy keeps no table of routes: a user's path names the container, Docker's DNS knows where it
is, and whatever nobody answers goes to the hub. So it has nothing to lose, and an upgrade of the
hub closes no connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hubconfig.container import HUB_PORT, PROXY_HTTP_PORT, PROXY_HTTPS_PORT, SERVER_PORT
from hubconfig.names import USER_NAME
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

_FROM_SERVERS = "".join(
    f"\t\t\theader_down -{name}\n"
    for name in ("Service-Worker-Allowed", "Clear-Site-Data", "Cross-Origin-Opener-Policy", "Alt-Svc")
)
"""What a server may not say to a browser: it would reach beyond the server's own path."""

_HUB_LIMITS = """\
\t\trequest_body {
\t\t\tmax_size 1MB
\t\t}
"""
"""A hub holds a whole request in memory, also a stranger's; its largest form has a few kB."""

_HUB_PATIENCE = """\
			lb_try_duration 30s
			lb_try_interval 200ms"""


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


def caddyfile(site: SiteRoutes) -> str:
    """The text of the Caddyfile."""
    blocks = [_options(site)]
    if isinstance(site.tls, NoTls):
        blocks.append(f"http:// {{\n{_routes(site)}}}\n")
    else:
        port = "" if site.https_port == 443 else f":{site.https_port}"
        # Another name that leads here is somebody else's to choose: it is not sent on under that name.
        ours, main = " ".join(site.names), _bracketed(site.names[0])
        blocks.append(
            f"http:// {{\n\t@others not host {ours}\n"
            f"\tredir @others https://{main}{port}{{uri}} 308\n"
            f"\tredir https://{{host}}{port}{{uri}} 308\n}}\n"
        )
        addresses = ", ".join(f"https://{_bracketed(name)}" for name in site.names)
        blocks.append(f"{addresses} {{\n{_tls(site.tls)}{_security(site.tls)}{_routes(site)}}}\n")
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
        "servers {\n\t\tprotocols h1 h2\n\t}",
    ]
    if isinstance(site.tls, NoTls):
        lines[-1] = "servers {\n\t\ttrusted_proxies static private_ranges\n\t}"
    if isinstance(site.tls, AcmeTls):
        if site.tls.email:
            lines.append(f"email {site.tls.email}")
        if site.tls.directory:
            lines.append(f"acme_ca {site.tls.directory}")
        elif site.tls.staging:
            lines.append("acme_ca https://acme-staging-v02.api.letsencrypt.org/directory")
        if site.tls.directory_ca_file:
            lines.append(f"acme_ca_root {ACME_CA}")
    body = "".join(f"\t{line}\n" for line in lines)
    return f"{{\n{body}}}\n"


def _tls(tls: LocalTls | AcmeTls | FilesTls) -> str:
    match tls:
        case LocalTls():
            return "\ttls internal\n"
        case FilesTls():
            return f"\ttls {CERTIFICATES}/ssl.crt {CERTIFICATES}/ssl.key\n"
        case AcmeTls():
            return ""


def _security(tls: LocalTls | AcmeTls | FilesTls) -> str:
    lines = ["-Server", "X-Content-Type-Options nosniff", "?Referrer-Policy strict-origin-when-cross-origin"]
    # A browser remembers HSTS by name: on `localhost` it would break every other program there.
    if not isinstance(tls, LocalTls):
        lines.append('Strict-Transport-Security "max-age=31536000"')
    body = "".join(f"\t\t{line}\n" for line in lines)
    return f"\theader {{\n{body}\t}}\n"


def _routes(site: SiteRoutes) -> str:
    # The longest base path first: `/` would take everything.
    hubs = sorted(site.hubs, key=lambda hub: len(hub.base_url), reverse=True)
    return "".join(_hub_routes(hub) for hub in hubs) + _dead_ends(hubs)


def _matcher(hub: HubRoute) -> str:
    return f"user_{hub.name.replace('-', '_')}"


def _hub_routes(hub: HubRoute) -> str:
    match = _matcher(hub)
    inside = "" if hub.base_url == "/" else f" {hub.base_url}*"
    bare = hub.base_url.rstrip("/")
    redirect = f"\tredir {bare} {hub.base_url} 308\n" if bare else ""
    return f"""\
\t@{match} path_regexp {match} ^{bare}/user/({USER_NAME.pattern})(?:/.*)?$
\thandle @{match} {{
\t\treverse_proxy {hub.user_prefix}{{re.{match}.1}}:{SERVER_PORT} {{
\t\t\tflush_interval -1
\t\t\tlb_try_duration 0s
\t\t\tstream_close_delay 24h
{_FROM_SERVERS}\t\t\ttransport http {{
\t\t\t\tdial_timeout 3s
\t\t\t\tkeepalive_idle_conns_per_host 64
\t\t\t}}
\t\t}}
\t}}
{redirect}\thandle{inside} {{
{_HUB_LIMITS}\t\theader Cross-Origin-Opener-Policy same-origin
\t\treverse_proxy {hub.host}:{HUB_PORT} {{
\t\t\tflush_interval -1
{_HUB_PATIENCE}
\t\t\ttransport http {{
\t\t\t\tkeepalive_idle_conns_per_host 64
\t\t\t}}
\t\t}}
\t}}
"""


def _dead_ends(hubs: Sequence[HubRoute]) -> str:
    """What happens where nobody answers: a user's path goes to the hub, which offers to start a server."""
    fallbacks = "".join(
        f"""\
\t\thandle @{_matcher(hub)} {{
{_HUB_LIMITS}\t\t\treverse_proxy {hub.host}:{HUB_PORT} {{
\t\t\t\tlb_try_duration 30s
\t\t\t\tlb_try_interval 200ms
\t\t\t}}
\t\t}}
"""
        for hub in hubs
    )
    return f"""\
\thandle_errors 502 503 504 {{
{fallbacks}\t\thandle {{
\t\t\theader Retry-After 5
\t\t\trespond "The hub is starting. This page will answer in a few seconds: reload it." 503
\t\t}}
\t}}
"""


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
