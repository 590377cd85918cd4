"""Finds out whether there is anything to sign in to OpenStack with, before the plug-in is asked.

The plug-in does the signing in: with an entry of clouds.yaml or with the OS_* variables.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from infra.clouds.openstack.entry import wrong_entry
from infra.handed_over.text import to_utf8

ADVICE: Final = (
    "Make an application credential (on Arbutus: Identity > Application Credentials > Create), put the "
    "clouds.yaml it offers into ~/.config/openstack/, and name its entry in cloud.cloud or OS_CLOUD. "
    "See docs/arbutus.md"
)

"""How to get credentials that a program can use."""

_SCOPE: Final = (
    *("OS_PROJECT_ID", "OS_PROJECT_NAME", "OS_TENANT_ID", "OS_TENANT_NAME"),
    *("OS_PROJECT_DOMAIN_ID", "OS_PROJECT_DOMAIN_NAME", "OS_USER_DOMAIN_ID", "OS_USER_DOMAIN_NAME"),
    *("OS_DOMAIN_ID", "OS_DOMAIN_NAME"),
)


def missing(cloud: str | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """What is missing to sign in and how to get it; None when nothing obvious is."""
    entry = cloud or environ.get("OS_CLOUD")
    if entry:
        return _missing_entry(entry, environ)
    if not environ.get("OS_AUTH_URL"):
        return f"There are no credentials for OpenStack: no cloud.cloud, OS_CLOUD or OS_AUTH_URL. {ADVICE}"
    if environ.get("OS_AUTH_TYPE") == "v3websso":
        return f"OS_AUTH_TYPE=v3websso signs in with a browser, which no program can do. {ADVICE}"
    if environ.get("OS_APPLICATION_CREDENTIAL_ID"):
        scope = [name for name in _SCOPE if environ.get(name)]
        if scope:
            return (
                "An application credential knows its project and refuses to be told one: "
                f"run `unset {' '.join(scope)}`"
            )
    return None


def _missing_entry(entry: str, environ: Mapping[str, str]) -> str | None:
    file = _clouds_file(environ)
    if file is None:
        return f"There is no clouds.yaml to find the cloud {entry!r} in. {ADVICE}"
    secrets = _found_file("secure", environ)
    for each in (file, *([secrets] if secrets else [])):
        if why := _unreadable(each):
            return why
    document: Any = yaml.safe_load(file.read_bytes())
    clouds = document.get("clouds") if isinstance(document, dict) else None
    clouds = clouds if isinstance(clouds, dict) else {}
    entries = sorted(map(str, clouds))
    if entry not in entries:
        there = ", ".join(entries) or "none"
        return f"{file} has no cloud {entry!r}; it has: {there}. Correct cloud.cloud or OS_CLOUD"
    content = next(value for name, value in clouds.items() if str(name) == entry)
    return wrong_entry(f"{file}: the cloud {entry}", content if isinstance(content, dict) else {}, environ)


def _unreadable(file: Path) -> str | None:
    """Why the plug-in could not read a file of it; it takes the encodings that YAML knows, as we do."""
    try:
        yaml.safe_load(file.read_bytes())
    except yaml.reader.ReaderError:
        return f"{file} is not UTF-8; run: {to_utf8(file, file.read_bytes())}"
    except (OSError, yaml.YAMLError) as error:
        return f"{file} cannot be read: {error}"
    return None


def _clouds_file(environ: Mapping[str, str]) -> Path | None:
    """The clouds.yaml that the plug-in would read."""
    given = environ.get("OS_CLIENT_CONFIG_FILE")
    if given and Path(given).is_file():
        return Path(given)
    return _found_file("clouds", environ)


def _found_file(name: str, environ: Mapping[str, str]) -> Path | None:
    """The first file of this name in the folders that the plug-in looks in."""
    given = environ.get("OS_CLIENT_SECURE_FILE") if name == "secure" else None
    folders = (Path(), Path("~/.config/openstack").expanduser(), Path("/etc/openstack"))
    places = [Path(given)] if given else []
    places += [folder / f"{name}.{ending}" for folder in folders for ending in ("yaml", "yml")]
    return next((place for place in places if place.is_file()), None)
