"""The proxy's part in giving each user's server a host of its own: pure text of a Caddyfile.

The host names the user, so nothing must be looked up here either. Nothing of a hub answers at such a host:
what is not for the server is sent to the hub's own, where the browser's right to it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from hubconfig.container import ASKED_FOR_HOSTS, HUB_PORT, PROXY_ASK_PORT
from hubconfig.names import host_pattern
from infra.site.to_hubs import stopped
from infra.site.to_servers import SCRIPT, SIGN_IN, Outside, large, to_server, too_much

if TYPE_CHECKING:
    from infra.site.caddyfile import HubRoute

ASK: Final = f"on_demand_tls {{\n\t\task http://127.0.0.1:{PROXY_ASK_PORT}/\n\t}}"
"""Caddy's option that no certificate is made before somebody said whose host it is: whoever connects chooses
the name, and could have any number of them signed."""

_OUTSIDE: Final = Outside(secure=True)


def users_hosts(
    domain: str, hubs: Sequence[HubRoute], *, main: str, tls: str, security: Callable[[str], str]
) -> str:
    """The block of all users' hosts.

    :param main: the hubs' own address, as browsers write it.
    :param tls: where its certificates come from.
    :param security: the headers of all answers, given an indent.
    """
    own = "".join(_own_host(domain, hub, main) for hub in hubs)
    everywhere, head = security("\t"), security("\t\t")
    return f"""\
https://*.{domain} {{
{tls}{everywhere}{own}\thandle {{
\t\tredir {main}{{uri}} 302
\t}}
\thandle_errors 502 503 504 {{
{head}{large("@gone_large")}\t\thandle @gone_large {{
\t\t\trespond "{SIGN_IN}" 403
\t\t}}
\t\t@gone_no_page {{
{SCRIPT}\t\t}}
\t\thandle @gone_no_page {{
{stopped("")}\t\t}}
\t\thandle {{
\t\t\tredir {main}{{uri}} 302
\t\t}}
\t}}
{too_much(head)}}}
"""


def asking(domain: str, hubs: Sequence[HubRoute]) -> str:
    """The block in which the proxy asks the hub, which alone knows its users, whether a host is one's."""
    asked = "".join(
        f"""\
\t@{_host(hub)} vars_regexp {{http.request.uri.query.domain}} {host_pattern(hub.name, domain)}
\thandle @{_host(hub)} {{
\t\trewrite * {hub.base_url}{ASKED_FOR_HOSTS}?{{query}}
\t\treverse_proxy {hub.host}:{HUB_PORT}
\t}}
"""
        for hub in hubs
    )
    end = "\thandle {\n\t\trespond 404\n\t}\n"
    return f"http://127.0.0.1:{PROXY_ASK_PORT} {{\n\tbind 127.0.0.1\n{asked}{end}}}\n"


def hidden(hub: HubRoute) -> str:
    """What keeps a hub's answers to that from strangers, who could try names."""
    return f"\thandle {hub.base_url}{ASKED_FOR_HOSTS} {{\n\t\trespond 404\n\t}}\n"


def _own_host(domain: str, hub: HubRoute, main: str) -> str:
    name, host = _host(hub), "{http.request.host}"
    user = f"{{re.{name}.1}}"
    path = f"{hub.base_url}user/{user}"
    server = to_server(
        f"{hub.user_prefix}{user}", f"{path}/", matcher=name, outside=_OUTSIDE, whole_host=True
    )
    return f"""\
\t@{name} vars_regexp {name} {host} {host_pattern(hub.name, domain)}
\t@{name}_path path {path} {path}/*
\thandle @{name} {{
\t\thandle @{name}_path {{
{server}\t\t}}
\t\thandle {{
\t\t\tredir {main}{{uri}} 302
\t\t}}
\t}}
"""


def _host(hub: HubRoute) -> str:
    return f"host_{hub.name.replace('-', '_')}"
