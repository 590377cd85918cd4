"""The proxy's part in what goes to users' servers and comes from them: pure text of a Caddyfile.

Whoever runs a server decides what it answers, and reads what it is sent before knowing who sends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hubconfig.container import SERVER_PORT

SMALL: Final = "1MB"
"""The largest body of somebody whom nobody has asked who they are: a hub and a server hold it in memory."""

LARGEST: Final = "512MB"
"""The largest body at all; Jupyter Server's own limit."""


@dataclass(frozen=True)
class Outside:
    """How browsers reach the site."""

    secure: bool
    """Whether by https alone."""
    host: str | None = None
    """The name and port that they use where another proxy ends TLS; None where they come to this one."""

    @property
    def told(self) -> str:
        """What hubs and servers are told of it, whatever the other proxy says: it may say nothing."""
        if self.host is None:
            return ""
        return "".join(
            f"\t\t\theader_up {name} {value}\n"
            for name, value in {
                "Host": self.host,
                "X-Forwarded-Host": self.host,
                "X-Forwarded-Proto": "https",
            }.items()
        )


_UNHEARD: Final = (
    # Would let a script of the server act, or what it says count, for paths of others.
    "Service-Worker-Allowed",
    "Clear-Site-Data",
    "Cross-Origin-Opener-Policy",
    "Origin-Agent-Cluster",
    "Use-As-Dictionary",
    # Browsers remember these for the whole site.
    "Accept-CH",
    "Alt-Svc",
    "Critical-CH",
    "NEL",
    "Public-Key-Pins",
    "Report-To",
    "Reporting-Endpoints",
    "Set-Login",
    "Strict-Transport-Security",
    # Another proxy before this one would do what they say.
    "X-Accel-Expires",
    "X-Accel-Redirect",
    "X-Sendfile",
    # Nobody's business.
    "X-JupyterHub-Version",
    "X-Powered-By",
)
"""What a server may not say: it would reach beyond the server's own path."""

_UPSTREAM = """\
\t\t\ttransport http {
\t\t\t\tdial_timeout 3s
\t\t\t\tkeepalive_idle_conns_per_host 64
\t\t\t}
"""

SIGN_IN: Final = "Sign in first."

SCRIPT: Final = """\
\t\t\theader Sec-Fetch-Mode *
\t\t\tnot header Sec-Fetch-Mode navigate
"""
"""Matches what a script of a page asks for, and not whoever goes to a page."""


def too_much(head: str) -> str:
    """What answers a body that is larger than it may be.

    :param head: the headers of all answers.
    """
    return f"""\
\thandle_errors 413 {{
{head}\t\trespond "This is more than may be sent at once." 413
\t}}
"""


def _signed_in_or(other: str) -> str:
    return f"""\
\t\t\theader_up Sec-Fetch-Mode navigate
\t\t\t@in status 2xx
\t\t\thandle_response @in {{
\t\t\t\tvars signed_in yes
\t\t\t}}
\t\t\thandle_response {{
\t\t\t\trespond {other}
\t\t\t}}
"""


SIGNED_IN_ONLY: Final = _signed_in_or(f'"{SIGN_IN}" 403')
"""Lets a request go on to what follows if the answer to its own cookies and token is a good one.

It is only asked who somebody is. Whether a page of another site sent them here is for the request itself,
hence the header: asked so, nobody wants the token against forged forms, which not every program sends.
"""


UNVERSIONED: Final = _signed_in_or('`{"version": "hidden"}` 200')
"""Programs ask for a version to see whether a hub or a server is there; strangers need not know which."""


def large(matcher: str) -> str:
    """Matches what may have a large body: it says so, or does not say how large."""
    return f"""\
\t\t{matcher} {{
\t\t\tmethod POST PUT PATCH
\t\t\tnot header_regexp Content-Length ^[0-9]{{1,6}}$
\t\t}}
"""


def to_server(container: str, own: str, *, matcher: str, outside: Outside, whole_host: bool = False) -> str:
    """What leads to a user's server.

    A large body is let in only after the server itself, asked with the request's own cookies and token, has
    said that it knows them: it holds bodies in memory before it asks who sends them.

    :param container: its name.
    :param own: its path, which ends with a slash.
    :param matcher: a word for this route's matchers, unlike other routes'.
    :param outside: how browsers reach it.
    :param whole_host: whether its host is its own, so that cookies may be for all of it.
    """
    where = f"{container}:{SERVER_PORT}"
    answered = _from_server(own, outside=outside, whole_host=whole_host)
    return f"""\
{large(f"@{matcher}_large")}\t\trequest_body @{matcher}_large {{
\t\t\tmax_size {LARGEST}
\t\t}}
{large(f"@{matcher}_small not")}\t\trequest_body @{matcher}_small {{
\t\t\tmax_size {SMALL}
\t\t}}
\t\treverse_proxy @{matcher}_large {where} {{
\t\t\tmethod GET
\t\t\trewrite {own}api/me?{{query}}
{outside.told}{SIGNED_IN_ONLY}{_UPSTREAM}\t\t}}
\t\t@{matcher}_version path {own}api {own}api/
\t\treverse_proxy @{matcher}_version {where} {{
\t\t\tmethod GET
\t\t\trewrite {own}api/me?{{query}}
{outside.told}{UNVERSIONED}{_UPSTREAM}\t\t}}
\t\treverse_proxy {where} {{
\t\t\tflush_interval -1
\t\t\tlb_try_duration 0s
\t\t\tstream_close_delay 24h
{outside.told}{answered}{_UPSTREAM}\t\t}}
"""


def _from_server(own: str, *, outside: Outside, whole_host: bool) -> str:
    """What is taken out of a server's answers, and what is put into them."""
    dropped = "".join(f"\t\t\theader_down -{name}\n" for name in _UNHEARD)
    cookies = [(r"(?i);\s*(?:domain|own-path)\b[^;]*", "")]
    path = ""
    if not whole_host:
        path = f"; Path={own}"
        prefix = own.partition("{")[0]
        cookies += [
            # A path of its own stays; of another user's path, only what follows the name.
            (rf"(?i);\s*path\s*=\s*{prefix}[^/;]+(/[^;]*)", f"; own-path={own.rstrip('/')}$1"),
            (r"(?i);\s*path\b[^;]*", ""),
        ]
    # The last one of several counts, so what the server says of them itself.
    cookies.append((r"^([^;]*)", f"$1{path}; SameSite=Lax{'; Secure' if outside.secure else ''}"))
    cookies.append(("; own-path=", "; Path="))
    return dropped + "".join(f"\t\t\theader_down Set-Cookie `{old}` `{new}`\n" for old, new in cookies)
