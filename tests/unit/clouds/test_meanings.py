# ruff: noqa: E501 - the plug-ins' own words are as long as they are
"""Who is to blame when a cloud does not answer as it should, from the plug-ins' own words."""

from __future__ import annotations

from typing import Any

import pytest

from infra.clouds.aws import meaning as aws
from infra.clouds.connecting import in_the_way
from infra.clouds.openstack import meaning as openstack
from infra.clouds.openstack.entry import wrong_entry

_CLIENT = "Error creating OpenStack compute client: "


def got(status: int, url: str, body: str = "") -> str:
    return f"Expected HTTP response code [200 204 300] when accessing [GET {url}], but got {status} instead: {body}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            _CLIENT + got(404, "https://cloud.example.org/"),
            "at https://cloud.example.org/ is not OpenStack's identity",
        ),
        (_CLIENT + got(404, "https://cloud.example.org:5000/"), "it ends in /v3"),
        (_CLIENT + got(401, "https://i.example.org/v3/auth/tokens"), "OpenStack refused the credentials"),
        (
            _CLIENT + got(200, "https://h/", "<!DOCTYPE html><title>Dashboard</title>"),
            "a web page, not a cloud's",
        ),
        (
            _CLIENT + "invalid character '<' looking for beginning of value",
            "a web page, not a cloud's interface",
        ),
        (_CLIENT + "You must provide a password to authenticate", "put it into secure.yaml"),
        (_CLIENT + "No suitable endpoint could be found in the service catalog.", "correct region_name"),
        ("Missing input for argument [auth_url]", "There is no address to sign in at"),
        (
            "Post https://i/v3: dial tcp: lookup i: no such host",
            "Nothing answers under the address in auth_url",
        ),
        ("dial tcp 10.0.0.404:5000: connect: connection refused", "Nothing answers under the address"),
        ("proxyconnect tcp: dial tcp 10.1.1.1:3128: connect: connection refused", "The proxy that"),
        ("x509: certificate has expired or is not yet valid: current time 2031-01-01", "set the clock"),
        ("x509: certificate signed by unknown authority", "`cacert` of clouds.yaml, or OS_CACERT"),
        (got(403, "https://c/v2.1/servers"), "their role lacks the right"),
        (got(503, "https://c/v2.1/flavors"), "OpenStack is out of order"),
        ("something that nobody foresaw, 401 of 404", "OpenStack answered: something that nobody foresaw"),
    ],
)
def test_openstacks_errors_are_told_as_what_they_are(text: str, told: str) -> None:
    assert not openstack.not_there(text)
    assert told in openstack.meaning(text)


@pytest.mark.parametrize(
    ("text", "none"),
    [
        ("Your query returned no results. Please change your search criteria.", True),
        (got(404, "https://c/v2.1/os-keypairs/mine"), True),
        ("Resource not found: [GET https://c/v2.1/flavors/x], error message: {}", True),
        (got(500, "https://c/v2.1/flavors/404"), False),
        (got(403, "https://c:4040/v2.0/networks", "request 9f404a"), False),
        ("quota of 404 instances exceeded", False),
        (_CLIENT + got(404, "https://dashboard.example.org/"), False),
    ],
)
def test_digits_in_a_text_are_no_diagnosis(text: str, *, none: bool) -> None:
    assert openstack.not_there(text) is none


CREDENTIAL = {
    "auth_url": "https://i/v3",
    "application_credential_id": "x",
    "application_credential_secret": "y",
}
PERSON = {"auth_url": "https://i/v3", "username": "ada", "project_name": "p", "user_domain_name": "Default"}


@pytest.mark.parametrize(
    ("entry", "environ", "told"),
    [
        ({"auth": CREDENTIAL}, {"OS_USERNAME": "u", "OS_PASSWORD": "p"}, "`unset OS_USERNAME OS_PASSWORD`"),
        ({"auth": CREDENTIAL}, {"OS_AUTH_URL": "https://other/v3"}, "this shell sets OS_AUTH_URL"),
        ({"auth": CREDENTIAL}, {"OS_TOKEN": "t"}, "`unset OS_TOKEN`"),
        ({"auth": CREDENTIAL}, {"OS_AUTH_URL": "https://i/v3/", "OS_PROJECT_NAME": "p", "OS_CLOUD": "c"}, None),
        ({"auth": PERSON}, {"OS_PASSWORD": "mine"}, None),
        ({"auth": PERSON}, {"OS_USERNAME": "grace"}, "`unset OS_USERNAME`"),
        ({"auth": PERSON}, {"OS_APPLICATION_CREDENTIAL_ID": "z"}, "sets OS_APPLICATION_CREDENTIAL_ID"),
        ({"auth": PERSON, "auth_type": "v3websso"}, {}, "auth_type: v3websso, which signs in with a browser"),
        ({"auth": PERSON, "auth_type": "v3oidcauthcode"}, {}, "signs in with a browser"),
        ({"auth_url": "https://i/v3", "username": "ada", "auth": {"project_name": "p"}}, {}, "auth_url, username outside of `auth`"),
        (PERSON, {}, "outside of `auth`: indent them below `auth:`"),
        ({"auth": {"username": "ada"}}, {}, "has no auth_url below `auth:`"),
        ({"auth": {"username": "ada"}, "profile": "vexxhost"}, {}, None),
        ({"auth": CREDENTIAL, "regions": ["east", {"name": "west"}]}, {}, "several regions (east, west): set region_name"),
        ({"auth": CREDENTIAL, "regions": ["east", "west"]}, {"OS_REGION_NAME": "east"}, None),
        ({"auth": CREDENTIAL, "regions": ["east"], "region_name": "east"}, {}, None),
        ({}, {"OS_AUTH_URL": "https://i/v3", "OS_USERNAME": "ada", "OS_PASSWORD": "p"}, None),
        ({"auth": None}, {}, None),
        ({"auth": ["auth_url"]}, {}, None),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_sign_in_is_told_before_anybody_is_asked(
    entry: dict[str, Any], environ: dict[str, str], told: str | None
) -> None:
    said = wrong_entry("clouds.yaml: the cloud arbutus", entry, environ)
    assert (said is None) == (told is None), said
    assert (told or "") in (said or "")
    for secret in ("mine", "ada", "other"):
        assert secret not in (said or ""), "values may be secrets"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "operation error STS: GetCallerIdentity, api error InvalidClientTokenId: x",
            "AWS refused the credentials",
        ),
        (
            "api error ExpiredToken: The security token included in the request is expired",
            "credentials have expired",
        ),
        (
            "No valid credential sources found: failed to refresh cached SSO token, the SSO session has expired or is invalid",
            "`aws sso login`",
        ),
        (
            "failed to refresh cached credentials, refresh cached SSO token failed, unable to refresh SSO token",
            "`aws sso login`",
        ),
        ("Failed to refresh cached SSO credentials", "credentials have expired"),
        ("The configured AWS credentials are invalid or have expired", "credentials have expired"),
        (
            "api error SignatureDoesNotMatch: Signature expired: 20310101T000000Z is now earlier than",
            "set the clock",
        ),
        ("api error RequestTimeTooSkewed: The difference between the request time", "set the clock"),
        (
            "api error SignatureDoesNotMatch: The request signature we calculated does not match",
            "they are mistyped",
        ),
        ("failed to get shared config profile, astro", "names a profile that ~/.aws/config does not have"),
        ("No valid credential sources found. no EC2 IMDS role found", "There are no credentials for AWS"),
        ("invalid AWS Region: ca-central-9", "cloud.region: AWS has no such region"),
        ("Invalid Configuration: Missing Region", "cloud.region: AWS has no such region"),
        (
            "dial tcp: lookup ec2.ca-central-1.amazonaws.com: no such host",
            "or this computer does not reach it",
        ),
        ("api error AccessDenied: User is not authorized", "see docs/aws.md for the policy"),
        ("proxyconnect tcp: EOF", "The proxy that"),
        ("api error Unavailable: NotFoundation of 404", "AWS answered: api error Unavailable"),
    ],
)
def test_awss_errors_are_told_as_what_they_are(text: str, told: str) -> None:
    assert not aws.not_there(text)
    assert told in aws.meaning(text, {})


@pytest.mark.parametrize(
    "text",
    [
        "api error InvalidVolume.NotFound: The volume 'vol-1' does not exist.",
        "An error occurred (InvalidSubnetID.NotFound) when calling the DescribeSubnets operation",
        "api error ParameterNotFound:",
        "no matching EC2 Subnet found",
        "reading EC2 Key Pair (x): couldn't find resource",
    ],
)
def test_what_a_region_has_not_is_known_by_awss_own_name_for_it(text: str) -> None:
    assert aws.not_there(text)


def test_what_the_shell_sets_in_place_of_files_is_named_and_its_value_is_not() -> None:
    environ = {
        "AWS_SECRET_ACCESS_KEY": "HIDDEN",
        "AWS_ACCESS_KEY_ID": "HIDDEN",
        "AWS_SESSION_TOKEN": "HIDDEN",
    }
    said = aws.meaning("api error ExpiredToken: expired", environ)
    assert "This shell sets AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN" in said
    assert "HIDDEN" not in said


def test_a_proxy_is_named_by_its_variable() -> None:
    said = (
        in_the_way("proxyconnect tcp: no such host", "x", "y", {"https_proxy": "http://me:SECRET@p:3128"})
        or ""
    )
    assert "The proxy that https_proxy names" in said
    assert "SECRET" not in said
    said = in_the_way("dial tcp: i/o timeout", "x", "y", {"HTTPS_PROXY": "http://p"}) or ""
    assert "asks through a proxy (HTTPS_PROXY)" in said


@pytest.mark.parametrize("text", ["quota exceeded", "Conflict", "EOFF", "the host is down for maintenance"])
def test_what_is_not_the_ways_fault_is_left_to_others(text: str) -> None:
    assert in_the_way(text, "x", "y", {}) is None
