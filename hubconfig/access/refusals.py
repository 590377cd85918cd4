"""What a person is told who does not get in, and what the administrator then finds in the log."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil

from tornado.httpclient import HTTPClientError, HTTPResponse
from tornado.web import HTTPError

from hubconfig.access.rules import Decision, Person, Reason, shown

SKEW_NOTABLE_S = 60
"""A clock this far off is worth a word; certificates and one-time codes suffer from it."""

_REASONS = {
    Reason.BANNED: ("{name} is blocked on this hub", "Whoever runs the hub has taken this account off it."),
    Reason.BANS_UNKNOWN: (
        "Nobody can be let in at the moment",
        "The hub cannot check who may use it. It works again when whoever runs it has put that right.",
    ),
    Reason.OTHER_ID: (
        "{name} is not known here",
        (
            "Another account used the name {name} on this hub before. If you are the same person, "
            "ask whoever runs the hub to let your new account in."
        ),
    ),
    Reason.CLOSED: ("This hub is closed", "It is not open to users at the moment."),
    Reason.NOT_LISTED: (
        "{name} is not on the list",
        "You are signed in as {name}, and this account is not among those who may use the hub.",
    ),
}


class NotLetInError(HTTPError):
    """A page that says, in a heading and a sentence or two, why somebody is not in the hub."""

    def __init__(self, status: int, heading: str, message: str) -> None:
        """Both texts are shown to the user."""
        super().__init__(status)
        self.heading = heading
        self.jupyterhub_message = message


def refusal(person: Person, decision: Decision) -> NotLetInError:
    """The page for somebody whom the lists keep out."""
    heading, message = _REASONS[decision.reason]
    name = person.name if len(person.name) <= 60 else f"{person.name[:57]}..."
    return NotLetInError(403, heading.format(name=name), message.format(name=name))


def too_many_guesses(wait_s: float) -> NotLetInError:
    """The page for an address from which many wrong passwords came."""
    return NotLetInError(
        429,
        "Too many wrong passwords",
        f"Wait {ceil(wait_s)} seconds, then go back and try again. Only this address has to wait.",
    )


class SignInError(Exception):
    """A sign-in that failed before anybody was named."""

    def __init__(self, page: NotLetInError, cause: str, *, ours: bool = True) -> None:
        """Keep what the user sees and what the administrator reads.

        :param ours: whether an administrator can do something about it.
        """
        super().__init__(cause)
        self.page = page
        self.cause = cause
        self.ours = ours


def _try_again(service: str, message: str, cause: str) -> SignInError:
    page = NotLetInError(400, f"Signing in with {service} did not work", f"{message} Please try again.")
    return SignInError(page, cause, ours=False)


def _out_of_order(service: str, cause: str) -> SignInError:
    page = NotLetInError(
        503,
        f"Signing in with {service} does not work at the moment",
        "Something is wrong in how the hub is set up; only whoever runs it can put it right. "
        "Servers that are running go on.",
    )
    return SignInError(page, cause)


def unreachable(service: str, cause: str) -> SignInError:
    """The provider does not answer, or not in time."""
    page = NotLetInError(
        503,
        f"{service} does not answer",
        f"The hub could not ask {service} who you are. Please try again in a few minutes. "
        "Servers that are running go on.",
    )
    return SignInError(page, cause)


def lost_state(service: str) -> SignInError:
    """The browser came back without the cookie it was sent away with."""
    return _try_again(
        service,
        "The sign-in took too long, was begun in another browser, or cookies are blocked.",
        "the browser came back without the state it left with",
    )


def refused_by_provider(service: str, error: str, callback_url: str) -> SignInError:
    """The provider answered with one of OAuth's error codes, in a redirect or to a request."""
    code = shown(error)
    match error:
        case "access_denied":
            return _try_again(service, f"{service} says that you did not agree to it.", code)
        case "bad_verification_code" | "invalid_grant":
            return _try_again(service, "The sign-in was too old or had been used already.", code)
        case "redirect_uri_mismatch" | "invalid_redirect_uri":
            return _out_of_order(
                service, f"{code}: register {callback_url} as the callback URL of the OAuth application"
            )
        case "incorrect_client_credentials" | "invalid_client" | "unauthorized_client":
            return _out_of_order(
                service,
                f"{code}: {service} refuses the hub itself. Set oauthClientId and oauthClientSecret to those "
                f"of the OAuth application whose callback URL is {callback_url}",
            )
        case _:
            return _out_of_order(service, f"{service} answered with the error {code}")


def trouble(service: str, error: Exception, callback_url: str) -> SignInError:
    """What an error during a sign-in means."""
    match error:
        case SignInError():
            return error
        case HTTPError():
            return _library_trouble(service, error)
        case HTTPClientError():
            return _http_trouble(service, error, callback_url)
        case ssl.SSLError():
            return unreachable(
                service,
                f"no trusted connection to {service}: {error}. This machine's clock says "
                f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC; if that is wrong, so is every certificate",
            )
        case OSError():
            return unreachable(service, f"no connection to {service}: {error}")
        case _:
            return _out_of_order(service, f"{type(error).__name__}: {shown(str(error))}")


def clock_skew(response: HTTPResponse | None) -> str:
    """A warning if the provider's clock and ours differ, else nothing."""
    told = response.headers.get("Date") if response else None
    if not told:
        return ""
    try:
        off_s = (datetime.now(UTC) - parsedate_to_datetime(told)).total_seconds()
    except (ValueError, TypeError):
        return ""
    if abs(off_s) < SKEW_NOTABLE_S:
        return ""
    way = "ahead of" if off_s > 0 else "behind"
    return f"; this machine's clock is {abs(off_s):.0f} s {way} the provider's: set it by NTP"


def _library_trouble(service: str, error: HTTPError) -> SignInError:
    """What the sign-in library itself objects to; its words hold names of settings and claims only."""
    cause = shown(error.log_message or str(error))
    if error.status_code == 403:
        page = NotLetInError(403, f"This {service} account will not do here", error.log_message or "")
        return SignInError(page, cause, ours=False)
    if error.status_code == 400:
        return _try_again(service, "The sign-in was not complete.", cause)
    return _out_of_order(service, cause)


def _http_trouble(service: str, error: HTTPClientError, callback_url: str) -> SignInError:
    skew = clock_skew(error.response)
    if error.code == 599:  # tornado's own: no answer at all
        return unreachable(service, f"no answer from {service}: {error}{skew}")
    code = _error_code(error.response)
    if code and error.code < 500:
        found = refused_by_provider(service, code, callback_url)
        return SignInError(found.page, f"{found.cause}{skew}", ours=found.ours)
    return unreachable(service, f"{service} answered {error.code}{skew}")


def _error_code(response: HTTPResponse | None) -> str:
    try:
        found = json.loads(response.body)["error"] if response else ""
    except (ValueError, TypeError, KeyError):
        return ""
    return found if isinstance(found, str) else ""
