"""What an error of AWS, or of its plug-in, means for its reader."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Final

from infra.clouds.connecting import in_the_way

_CODE: Final = re.compile(r"(?:api error |An error occurred \()(?P<code>[A-Z][\w.]+)")
"""AWS's own name for what happened."""

_SAYS_NONE: Final = ("no matching", "couldn't find", "returned no results")
"""How the plug-in says that it found nothing."""

_ENDED: Final = re.compile(
    r"\bsso\b.{0,80}(expired|invalid|refresh)|refresh cached sso|invalid or have expired|"
    r"\b(token|credentials?|session)\b[^.:]{0,30}\bexpired",
    re.IGNORECASE,
)
_SIGNED_AT: Final = re.compile(r"signature (expired|not yet current)", re.IGNORECASE)
_PROFILE: Final = re.compile(r"failed to get shared config profile", re.IGNORECASE)
_NONE: Final = re.compile(r"no valid credential sources|no EC2 IMDS role", re.IGNORECASE)
_REGION: Final = re.compile(r"invalid AWS region|missing region|no such host", re.IGNORECASE)

_CLOCK: Final = ("RequestTimeTooSkewed", "RequestExpired")
_EXPIRED: Final = ("ExpiredToken", "ExpiredTokenException")
_REFUSED: Final = (
    *("AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"),
    *("IncompleteSignature", "InvalidAccessKeyId", "OptInRequired"),
)
_FORBIDDEN: Final = ("UnauthorizedOperation", "AccessDenied", "AccessDeniedException")

_SHADOWING: Final = (
    *("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2"),
    *("AWS_ENDPOINT_URL_STS", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
)


def not_there(text: str) -> bool:
    """Whether the region says that it has no such thing."""
    return _code(text).endswith("NotFound") or any(words in text for words in _SAYS_NONE)


def meaning(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """The error in words that help."""
    code = _code(text)
    for applies, words in _MEANINGS:
        if applies(text, code):
            return words.format(text=text) + _shell(environ)
    return in_the_way(text, "cloud.region", "AWS_CA_BUNDLE", environ) or f"AWS answered: {text}"


_MEANINGS: Final[tuple[tuple[Callable[[str, str], bool], str], ...]] = (
    (
        lambda text, code: code in _CLOCK or bool(_SIGNED_AT.search(text)),
        (
            "This computer's clock and AWS's differ: {text}\nCompare `date -u` with the true time, "
            "set the clock "
            "(`sudo timedatectl set-ntp true`)."
        ),
    ),
    (
        lambda text, code: code in _EXPIRED or bool(_ENDED.search(text)),
        "The AWS credentials have expired; sign in again (`aws sso login`, or get new ones): {text}",
    ),
    (
        lambda text, _: bool(_PROFILE.search(text)),
        (
            "cloud.profile, or AWS_PROFILE, names a profile that ~/.aws/config does not have: {text}. "
            "`aws configure list-profiles` shows those that there are"
        ),
    ),
    (
        lambda _, code: code in _REFUSED,
        (
            "AWS refused the credentials: they are mistyped, were deleted, or the region is not enabled for "
            "the account: {text}"
        ),
    ),
    (
        lambda _, code: code in _FORBIDDEN,
        "AWS's credentials may not do what is needed; see docs/aws.md for the policy: {text}",
    ),
    (
        lambda text, _: bool(_NONE.search(text)),
        (
            "There are no credentials for AWS: {text}. Run `aws configure` or set AWS_PROFILE, "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or cloud.profile. See docs/aws.md"
        ),
    ),
    (
        lambda text, _: bool(_REGION.search(text)),
        "cloud.region: AWS has no such region, or this computer does not reach it: {text}",
    ),
)
"""When which words apply; the first that does is told."""


def _code(text: str) -> str:
    found = _CODE.findall(text)
    return str(found[-1]).rstrip(".") if found else ""


def _shell(environ: Mapping[str, str]) -> str:
    """What of this shell comes before what files say."""
    there = [name for name in _SHADOWING if environ.get(name)]
    if not there:
        return ""
    return f"\nThis shell sets {' and '.join(there)}: it comes before ~/.aws, so `unset` what is not meant."
