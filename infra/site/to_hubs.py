"""The proxy's part in what goes to hubs and comes from them: pure text of a Caddyfile.

A user's page at the hub's own host may ask for whatever the hub's pages may. What tells them apart is what
browsers say of a request themselves, and no script can change.
"""

from __future__ import annotations

from typing import Final

from hubconfig.container import HUB_PORT
from hubconfig.names import FIRST_HUB
from infra.site.to_servers import SCRIPT, SIGN_IN, SMALL, UNVERSIONED, Outside, large

_SESSION: Final = "jupyterhub-session-id"
"""JupyterHub's cookie with a hub's base path: the first hub's would be sent to all others, too."""

_PATIENCE: Final = """\
\t\t\tlb_try_duration 30s
\t\t\tlb_try_interval 200ms
"""
"""A hub restarts in 2 s; who asks meanwhile waits."""

LIMITS: Final = f"""\
\t\trequest_body {{
\t\t\tmax_size {SMALL}
\t\t}}
"""
"""A hub holds a whole request in memory, also a stranger's; its largest form has a few kB."""


_NOT_FOR_PROGRAMS: Final = "The hub's pages are not for programs, which have its API."

_STOPPED: Final = '{"message": "The server is not running. Start it on the hub\'s page."}'


def stopped(matcher: str) -> str:
    """The answer that JupyterLab understands, and offers to start the server, as the hub itself gives it.

    The hub's could be the page that tells of another error.
    """
    return f"""\
\t\theader {matcher}Content-Type application/json
\t\trespond {matcher}`{_STOPPED}` 424
"""


def to_hub(host: str, base_url: str, *, name: str, outside: Outside) -> str:
    """What leads to a hub.

    Its pages, those that tell of errors too, hold the token by which the hub knows its own forms. So they are
    shown, and read by no script: no page can fetch them, from the network or from what the browser keeps, or
    put them into a frame; and a window with one lets go of the page that opened it.

    :param host: the hub container's name.
    :param name: the hub's; of its route's matchers, too.
    :param outside: how browsers reach it.
    """
    word = f"hub_{name.replace('-', '_')}"
    hub = f"{base_url}hub/"
    uri = "vars_regexp {http.request.uri}"
    programs = f"^{hub}(?:(?:api|static)/|logo(?:[?].*)?$)"
    return f"""\
{LIMITS}\t\theader Cross-Origin-Opener-Policy same-origin
\t\t@{word}_page not {uri} ^{hub}static/
\t\theader @{word}_page >Cache-Control no-store
\t\t@{word}_framed header_regexp Sec-Fetch-Dest ^(?:iframe|frame|fencedframe|embed|object)$
\t\trespond @{word}_framed "The hub's pages are not shown inside others." 403
\t\t@{word}_program {{
{SCRIPT}\t\t\tnot {{
\t\t\t\t{uri} {programs}
\t\t\t\tnot {uri} ^{hub}api/oauth2/
\t\t\t}}
\t\t}}
\t\t@{word}_stopped {{
{SCRIPT}\t\t\t{uri} ^{hub}user/
\t\t}}
{stopped(f"@{word}_stopped ")}\t\trespond @{word}_program "{_NOT_FOR_PROGRAMS}" 403
{own_session(name)}\t\t@{word}_version {uri} ^{hub}api/?(?:[?].*)?$
\t\treverse_proxy @{word}_version {host}:{HUB_PORT} {{
\t\t\tmethod GET
\t\t\trewrite {hub}api/user?{{query}}
{outside.told}{UNVERSIONED}\t\t}}
\t\treverse_proxy {host}:{HUB_PORT} {{
\t\t\tflush_interval -1
\t\t\theader_down +Content-Security-Policy "frame-ancestors 'none'"
{outside.told}{_from_hub(name, outside=outside)}{_PATIENCE}\t\t\ttransport http {{
\t\t\t\tkeepalive_idle_conns_per_host 64
\t\t\t}}
\t\t}}
"""


def to_hub_instead(host: str, *, name: str, outside: Outside) -> str:
    """What leads to a hub from a path of a user's server that is not there.

    Only for pages and small forms: what else a stranger is told must not depend on whether the server runs.
    """
    word = f"hub_{name.replace('-', '_')}"
    return f"""\
{large(f"@{word}_large")}\t\trespond @{word}_large "{SIGN_IN}" 403
{large(f"@{word}_small not")}\t\trequest_body @{word}_small {{
\t\t\tmax_size {SMALL}
\t\t}}
\t\t@{word}_no_page {{
{SCRIPT}\t\t}}
{stopped(f"@{word}_no_page ")}\t\treverse_proxy {host}:{HUB_PORT} {{
{outside.told}{_from_hub(name, outside=outside)}{_PATIENCE}\t\t}}
"""


def _from_hub(name: str, *, outside: Outside) -> str:
    """What is taken out of a hub's answers, and what is put into them."""
    more = f"; SameSite=Lax{'; Secure' if outside.secure else ''}"
    # For its own host alone: JupyterHub shares the session's with all users' hosts below it.
    cookies = [(r"(?i);\s*domain\b[^;]*", ""), (r"^(_xsrf=[^;]*)", "$1; HttpOnly")]
    cookies.append((r"^([^;]*)", f"$1{more}"))
    if name != FIRST_HUB:
        cookies.append((f"^{_SESSION}=", f"{_SESSION}-{name}="))
    lines = "".join(f"\t\t\theader_down Set-Cookie `{old}` `{new}`\n" for old, new in cookies)
    return f"\t\t\theader_down -X-JupyterHub-Version\n{lines}"


def own_session(name: str) -> str:
    """What gives a further hub and its users' servers its own session, never the first hub's.

    JupyterHub knows one name for that cookie, and takes either when a browser sends two: whoever signed in
    or out at one hub would lose what is open at another.
    """
    if name == FIRST_HUB:
        return ""
    return f"""\
\t\trequest_header Cookie `(^|;\\s*){_SESSION}=[^;]*` ``
\t\trequest_header Cookie `^;\\s*` ``
\t\trequest_header Cookie `{_SESSION}-{name}=` `{_SESSION}=`
"""
