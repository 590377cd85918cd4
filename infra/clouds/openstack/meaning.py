"""What an error of OpenStack, or of its plug-in, means for its reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from infra.clouds.connecting import in_the_way
from infra.clouds.openstack.credentials import ADVICE

ADDRESS: Final = "auth_url of clouds.yaml, or OS_AUTH_URL"

_ANSWER: Final = re.compile(
    r"(?:when accessing \[[A-Z]+ (?P<url>[^\s\]]+)\], but got (?P<status>\d{3}) instead"
    r"|(?P<missing>Resource not found): \[[A-Z]+ (?P<place>[^\s\]]+)\])"
)
"""How the plug-in tells which request was answered with which status; other digits mean nothing."""

_SIGN_IN: Final = re.compile(r"Error creating OpenStack|/auth/tokens")
"""Before anything is asked for: the plug-in signs in and looks for its services."""


def not_there(text: str) -> bool:
    """Whether the cloud says that it has no such thing."""
    lower = text.lower()
    if any(words in lower for words in ("no results", "no flavor found", "floatingip_v2 found")):
        return True
    return _status(text) == 404 and not _SIGN_IN.search(text)


def several(text: str) -> bool:
    """Whether the cloud says that it has more than one."""
    return "more than one" in text.lower() or "multiple results" in text.lower()


def meaning(text: str) -> str:
    """The error in words that help."""
    status = _status(text)
    for applies, words in _MEANINGS:
        if applies(text, status):
            return words.format(text=text, url=_url(text))
    return in_the_way(text, ADDRESS, "`cacert` of clouds.yaml, or OS_CACERT") or _by_status(text, status)


_MEANINGS: Final[tuple[tuple[Callable[[str, int | None], bool], str], ...]] = (
    (
        lambda text, _: "cannot request a scope" in text,
        (
            "OpenStack refused the application credential because it came with a project or domain: remove "
            "those from its entry in clouds.yaml and unset OS_PROJECT_* and OS_*_DOMAIN_*"
        ),
    ),
    (
        lambda text, status: status == 401 or "Authentication failed" in text,
        (
            "OpenStack refused the credentials: they are mistyped, have expired, were deleted, or belong "
            f"to another cloud. {ADVICE}"
        ),
    ),
    (
        lambda text, _: "must provide a password" in text,
        (
            "The entry of clouds.yaml has no password, as dashboards offer it: put it into "
            "secure.yaml beside it "
            f"or into OS_PASSWORD. Better: {ADVICE[0].lower()}{ADVICE[1:]}"
        ),
    ),
    (
        lambda text, _: "No suitable endpoint" in text,
        (
            "The cloud has no such service in the region: correct region_name in clouds.yaml or "
            "OS_REGION_NAME, "
            "or leave it out where there is one region only ({text})"
        ),
    ),
    (
        lambda text, _: "Missing input for argument [auth_url]" in text,
        f"There is no address to sign in at: set {ADDRESS}. {ADVICE}",
    ),
    (
        lambda text, status: status == 404 and bool(_SIGN_IN.search(text)),
        (
            f"What answers at {{url}} is not OpenStack's identity service (404). Correct {ADDRESS}: "
            f"it ends in "
            "/v3, as in https://identity.example.org/v3 or https://example.org:5000/v3"
        ),
    ),
)
"""When which words apply; the first that does is told."""


def _by_status(text: str, status: int | None) -> str:
    if status == 403:
        return (
            f"The credentials may not do this: their role lacks the right for it. OpenStack answered: {text}"
        )
    if status is not None and status >= 500:
        return f"OpenStack is out of order; try again later, or look at the cloud's status page: {text}"
    return f"OpenStack answered: {text}"


def _url(text: str) -> str:
    """What the last request asked for."""
    found = [*_ANSWER.finditer(text)]
    return found[-1]["url"] or found[-1]["place"] if found else ""


def _status(text: str) -> int | None:
    """The HTTP status of the last answer that the plug-in tells of."""
    found = [*_ANSWER.finditer(text)]
    if not found:
        return None
    return int(found[-1]["status"] or 404)
