"""How a stack is: its page and certificate as a browser sees them, the rest as its hubs tell."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.stacks import machine
from tools.stacks.stack import outputs
from tools.toolchain.console import Problem, say


def show(stack: str) -> None:
    """Say how the hub, its certificate, its machine and its users' servers are.

    Raises Problem when something is wrong, so that a timer's mail can be made of it.
    """
    found = outputs(stack)
    if "url" not in found:
        raise Problem(f"The stack {stack} is not up. `make up` brings it up.")
    said = [_answer(found["url"]), *_certificate(found["url"], datetime.now(UTC))]
    say("\n".join([found["url"], *map(str, said)]))
    wrong = any(line.wrong for line in said)
    hubs = machine.hubs(stack, found)
    for hub in hubs:
        asked = machine.run(found, "docker", "exec", hub, "python3", "-m", "hubconfig.status")
        say(asked.stdout.rstrip() or asked.stderr.rstrip())
        wrong |= asked.returncode != 0
    if not hubs:
        say("! No hub runs on the machine; `make up` starts it again.")
        wrong = True
    if wrong:
        raise Problem(
            "Look at the lines that start with an exclamation mark; docs/running.md says what to do."
        )


def answers(url: str) -> bool:
    """Whether anything answers there without an error."""
    return not _answer(url).wrong


@dataclass(frozen=True)
class Said:
    """One thing that is known, and whether something must be done about it."""

    what: str
    how: str
    wrong: bool = False

    def __str__(self) -> str:
        """The line as it is printed; as the hub prints its own."""
        return f"{'!' if self.wrong else ' '} {self.what:<27} {self.how}"


def _answer(url: str) -> Said:
    # Whether it answers is the question here, not who it is.
    context = ssl._create_unverified_context()  # noqa: S323, SLF001
    try:
        with urllib.request.urlopen(url, timeout=10, context=context) as response:  # noqa: S310 - our own output
            return Said("the page", f"answers ({response.status})")
    except urllib.error.HTTPError as error:
        return Said("the page", f"answers with an error ({error.code})", wrong=True)
    except OSError as error:
        return Said("the page", f"does not answer: {error}", wrong=True)


def _certificate(url: str, now: datetime) -> list[Said]:
    """Who signed the certificate that browsers are shown, and when it ends."""
    # What follows needs the packages of .venv; the rest of the tools must do without.
    from cryptography import x509  # noqa: PLC0415

    where = urllib.parse.urlsplit(url)
    if where.scheme != "https":
        return []
    try:
        shown = ssl.get_server_certificate((where.hostname or "", where.port or 443), timeout=10)
    except OSError as error:
        return [Said("certificate", f"none is shown: {error}", wrong=True)]
    found = x509.load_pem_x509_certificate(shown.encode())
    left = found.not_valid_after_utc - now
    signed = found.issuer.rfc4514_string()
    # The hub's own authority signs for 12 hours, Let's Encrypt for 90 or, on request, for 6 days.
    whole = found.not_valid_after_utc - found.not_valid_before_utc
    ends = f"{found.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    return [Said("certificate", f"by {signed}, until {ends}, renewed before", wrong=left < whole / 6)]
