"""How a stack is: its page and certificate as a browser sees them, the rest as its hubs tell."""

from __future__ import annotations

import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta

from cryptography import x509

from hubconfig.status import Line
from tools.stacks.deployed import Deployed
from tools.stacks.missing import missing
from tools.toolchain.console import Problem, say

_OWN_CERTIFICATE = timedelta(days=14)
"""How long before its end a certificate that people must replace themselves is told as wrong."""


def show(stack: str) -> None:
    """Say how the hub, its certificate, its machine and its users' servers are.

    Raises Problem when something is wrong, so that a timer's mail can be made of it.
    """
    deployed = Deployed.find(stack)
    if not deployed.is_up:
        raise Problem(f"The stack {stack} is not up. `make up` brings it up.")
    url = deployed.url
    said = [
        _answer(url),
        *_certificate(url, datetime.now(UTC), renewed=deployed.certificate_is_renewed),
        *_gone(deployed),
    ]
    say("\n".join([url, *map(str, said)]))
    wrong = any(line.wrong for line in said)
    hubs = deployed.hubs()
    for hub in hubs:
        words = deployed.engine.command("exec", hub, "python3", "-m", "hubconfig.status")
        asked = subprocess.run(
            words, env=deployed.engine.environment(), capture_output=True, text=True, check=False
        )
        say(asked.stdout.rstrip() or asked.stderr.rstrip())
        wrong |= asked.returncode != 0
    if not hubs:
        say("! No hub runs on the machine; `make up` starts it again.")
        wrong = True
    if wrong:
        raise Problem(
            "Look at the lines that start with an exclamation mark; docs/running.md says what to do."
        )


def _gone(deployed: Deployed) -> list[Line]:
    """What somebody removed from the machine."""
    try:
        found = missing(deployed)
    except Problem as problem:
        return [Line("what is there", f"is not known: {problem}", wrong=True)]
    return [Line("gone", f"{each}; `make up` makes it again", wrong=True) for each in found]


def answers(url: str) -> bool:
    """Whether anything answers there without an error."""
    return not _answer(url).wrong


def _answer(url: str) -> Line:
    # Whether it answers is the question here, not who it is.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, timeout=10, context=context) as response:  # noqa: S310 - our own output
            return Line("the page", f"answers ({response.status})")
    except urllib.error.HTTPError as error:
        return Line("the page", f"answers with an error ({error.code})", wrong=True)
    except OSError as error:
        return Line("the page", f"does not answer: {error}", wrong=True)


def _certificate(url: str, now: datetime, *, renewed: bool) -> list[Line]:
    """Who signed the certificate that browsers are shown, and when it ends."""
    where = urllib.parse.urlsplit(url)
    if where.scheme != "https":
        return []
    try:
        shown = ssl.get_server_certificate((where.hostname or "", where.port or 443), timeout=10)
    except OSError as error:
        return [Line("certificate", f"none is shown: {error}", wrong=True)]
    found = x509.load_pem_x509_certificate(shown.encode())
    left = found.not_valid_after_utc - now
    text = f"by {found.issuer.rfc4514_string()}, until {found.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    if not renewed:
        # Nobody renews one's own, and offices take days to give a new one.
        text += f", {left.days} days left; replace it before, in web.tls.certificateFile"
        return [Line("certificate", text, wrong=left < _OWN_CERTIFICATE)]
    # The hub's own authority signs for 12 hours, Let's Encrypt for 90 or, on request, for 6 days.
    whole = found.not_valid_after_utc - found.not_valid_before_utc
    return [Line("certificate", f"{text}, renewed before", wrong=left < whole / 6)]
