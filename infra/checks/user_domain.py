"""Checks what web.userDomain needs before anything is created: a name above all, and a certificate for it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from infra.checks.certificate import signed_names
from infra.stack.clouds import LocalCloud
from infra.stack.faults import Fault
from infra.stack.sections import Sections
from infra.stack.settings import FilesTls, NoTls, Web

_KEY = "web.userDomain"

_ANYBODY = "anybody"
"""Stands for a user's name: a wildcard record answers for it like for any other."""

Addresses = Callable[[str], set[str]]
"""Addresses that a name has; none where it has none."""


def faults(sections: Sections) -> Sequence[Fault]:
    """Why users' servers cannot have hosts of their own in the domain that is named."""
    web, cloud = sections.web, sections.cloud
    if web is None or web.user_domain in (None, "none"):
        return []
    domain = str(web.user_domain)
    here = isinstance(cloud, LocalCloud) and cloud.bind.startswith("127.") and web.hostname is None
    found = [Fault(_KEY, rule) for rule in _rules(web, domain, here=here or cloud is None)]
    if not found and isinstance(web.tls, FilesTls):
        found = _certificate(web.tls, domain)
    return found


def dns_faults(sections: Sections) -> Sequence[Fault]:
    """A record that is missing or leads elsewhere. It stops nothing, as it may be on its way."""
    web = sections.web
    if web is None or web.hostname is None or web.user_domain in (None, "none"):
        return []
    said = dns_lack(web.hostname, str(web.user_domain), addresses_of)
    return [] if said is None else [Fault(_KEY, said, stops=False)]


def dns_lack(hostname: str, domain: str, look: Addresses) -> str | None:
    """What is wrong with the record of users' hosts, and what to do; None if nothing."""
    hub, users = look(hostname), look(f"{_ANYBODY}.{domain}")
    record = f"make the DNS record `*.{domain} CNAME {hostname}.` (or A, with the machine's address)"
    if not users:
        return f"no name in {domain} can be found, so nobody reaches a server; {record}"
    if hub and not hub & users:
        return f"names in {domain} lead to another machine than {hostname}; {record}"
    return None


def addresses_of(name: str) -> set[str]:
    """The addresses of a name as this computer finds them."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(name, None)}
    except OSError:
        return set()


def _rules(web: Web, domain: str, *, here: bool) -> list[str]:
    if isinstance(web.tls, NoTls):
        return ["needs https, as users' hosts may not set cookies for the hub's; set another web.tls.kind"]
    if domain == "localhost" or domain.endswith(".localhost"):
        return [] if here else ["is of this computer alone; name a domain that leads to the hub's machine"]
    if web.hostname is None:
        return ["needs web.hostname: users' servers send browsers to the hub by its name for signing in"]
    if web.hostname.endswith(f".{domain}"):
        rule = "has the hub's own name in it, which a user could be called; name another domain, such as"
        return [f"{rule} users.{domain} or {web.hostname} itself"]
    return []


def _certificate(tls: FilesTls, domain: str) -> list[Fault]:
    names = signed_names(tls)
    if names is None or f"*.{domain}" in names:
        return []  # what cannot be read is told by the certificate's own check
    return [
        Fault(
            "web.tls.certificateFile",
            f"does not name *.{domain}, which web.userDomain needs; get one for it and the hub's name",
        )
    ]
