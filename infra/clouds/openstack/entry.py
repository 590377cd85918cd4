"""What is wrong with an entry of clouds.yaml, as people copy it from a dashboard, and what shadows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_OF_AUTH: Final = (
    *("auth_url", "username", "user_id", "password", "token"),
    *("application_credential_id", "application_credential_name", "application_credential_secret"),
    *("project_id", "project_name", "user_domain_name", "user_domain_id"),
    *("project_domain_name", "project_domain_id", "domain_id", "domain_name"),
)
"""What belongs below `auth`."""

_VARIABLES: Final = {
    "OS_AUTH_URL": "auth_url",
    "OS_USERNAME": "username",
    "OS_USER_ID": "user_id",
    "OS_PASSWORD": "password",
    "OS_TOKEN": "token",
    "OS_AUTH_TOKEN": "token",
    "OS_APPLICATION_CREDENTIAL_ID": "application_credential_id",
    "OS_APPLICATION_CREDENTIAL_NAME": "application_credential_name",
    "OS_APPLICATION_CREDENTIAL_SECRET": "application_credential_secret",
}
"""Variables that the plug-in takes in place of what the entry has."""

_BROWSER: Final = ("websso", "oidcauthcode", "oidcdeviceauthz", "browser")


def wrong_entry(where: str, entry: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    """What keeps an entry from signing in, and the way out; None when nothing obvious does.

    Passwords may be in secure.yaml and addresses in a profile, so that they are missing is not told here.

    :param where: how messages begin: the file and the entry.
    """
    given = entry.get("auth")
    auth: Mapping[str, Any] = given if isinstance(given, dict) else {}
    kind = str(entry.get("auth_type") or "")
    if any(word in kind for word in _BROWSER):
        return (
            f"{where} has auth_type: {kind}, which signs in with a browser, which no program can do. Make an "
            "application credential and use the clouds.yaml that it offers. See docs/arbutus.md"
        )
    outside = [key for key in _OF_AUTH if key in entry and key not in auth]
    if outside:
        return f"{where} has {', '.join(outside)} outside of `auth`: indent {_them(outside)} below `auth:`"
    if not auth.get("auth_url") and not entry.get("profile") and not environ.get("OS_AUTH_URL") and auth:
        return f"{where} has no auth_url below `auth:`; the dashboard shows it under API Access"
    regions = entry.get("regions")
    said = entry.get("region_name") or environ.get("OS_REGION_NAME")
    if isinstance(regions, list) and len(regions) > 1 and not said:
        names = ", ".join(str(each.get("name") if isinstance(each, dict) else each) for each in regions)
        return f"{where} has several regions ({names}): set region_name, or OS_REGION_NAME"
    return _shadowed(where, kind, auth, environ)


def _shadowed(where: str, kind: str, auth: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    by_credential = "applicationcredential" in kind or any(key.startswith("application_") for key in auth)
    shadowing = []
    for variable, key in _VARIABLES.items():
        given = environ.get(variable)
        if not given or (key in auth and str(auth[key]).rstrip("/") == given.rstrip("/")):
            continue
        of_a_person = key in ("username", "user_id", "password", "token")
        of_another_kind = of_a_person if by_credential else key.startswith("application_") or key == "token"
        if key in auth or (auth and of_another_kind):
            shadowing.append(variable)
    if not shadowing:
        return None
    return (
        f"{where} is not what would be used: this shell sets {', '.join(shadowing)} (an RC file was "
        f"sourced?), which come{'s' if len(shadowing) == 1 else ''} first. "
        f"Run `unset {' '.join(shadowing)}`, or take a new shell"
    )


def _them(keys: list[str]) -> str:
    return "it" if len(keys) == 1 else "them"
