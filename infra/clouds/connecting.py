"""What is in the way between this computer and a cloud, from the words of the plug-in's HTTP client."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

_PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")

_PROXY: Final = re.compile(r"proxyconnect|proxy authentication required|socks connect", re.IGNORECASE)
_CLOCK: Final = re.compile(r"has expired or is not yet valid|clock skew", re.IGNORECASE)
_STRANGER: Final = re.compile(r"x509:|certificate signed by unknown authority|tls: ", re.IGNORECASE)
_WEB_PAGE: Final = re.compile(r"<!doctype html|<html|invalid character '<'", re.IGNORECASE)
_NOBODY: Final = re.compile(
    r"no such host|connection refused|i/o timeout|network is unreachable|no route to host|\bEOF\b|"
    r"deadline exceeded|connection reset",
    re.IGNORECASE,
)


def in_the_way(
    text: str, address: str, authority: str, environ: Mapping[str, str] = os.environ
) -> str | None:
    """What is wrong on the way and what to do; None when an error is none of the way's.

    :param text: the plug-in's words.
    :param address: where people write the cloud's address, for the message.
    :param authority: where they name the authority that signed the cloud's certificates.
    """
    proxies = [name for name in _PROXIES if environ.get(name)]
    through = f" This computer asks through a proxy ({' and '.join(proxies)})." if proxies else ""
    if _PROXY.search(text):
        return (
            f"The proxy that {' or '.join(proxies) or 'HTTPS_PROXY'} names does not let this computer "
            f"through: {text}\nCorrect it, unset it, or add the cloud's name to NO_PROXY."
        )
    if _CLOCK.search(text):
        return (
            f"This computer's clock and the cloud's differ, or a certificate has ended: {text}\n"
            "Compare `date -u` with the true time and set the clock (`sudo timedatectl set-ntp true`)."
        )
    if _STRANGER.search(text):
        return (
            f"The certificate of what answers is not one that this computer trusts: {text}\nEither {address} "
            f"leads elsewhere, or the cloud has an authority of its own, whose certificate is to be named in "
            f"{authority}.{through}"
        )
    if _WEB_PAGE.search(text):
        start = " ".join(re.sub(r"<[^>]*>", " ", text).split())[:200]
        return (
            f"What answers is a web page, not a cloud's interface. Correct {address}.{through} It is: {start}"
        )
    if _NOBODY.search(text):
        return f"Nothing answers under the address in {address}: {text}{through}"
    return None
