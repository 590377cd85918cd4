"""Secrets of a stack: those an administrator gives, and those that nobody need choose."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from hubconfig.options import HubOptions
from infra.stack.faults import Fault
from infra.stack.stack_file import Parts

_GENERATED_BYTES = 24
"""192 bits: 32 characters, as many as JupyterHub wants of an administrator's password."""

MADE_SECRETS = {
    "shared_password": "sharedPassword",
    "admin_password": "adminPassword",
    "backup_password": "backupPassword",
    "metrics_token": "metricsToken",
}
"""File name to key of the secrets that are made when nobody gives them; outputs keep them."""


def kept_or_made(
    config: pulumi.Config, key: str, previous: pulumi.Output[Mapping[str, Any]]
) -> pulumi.Output[str]:
    """A secret from the stack file, else the one this stack had before, else a new one."""
    given = config.get_secret(key)
    if given is not None:
        return given
    value: pulumi.Output[str] = previous.apply(
        lambda outputs: outputs.get(key) or secrets.token_urlsafe(_GENERATED_BYTES)
    )
    return pulumi.Output.secret(value)


def hub_secrets(
    config: pulumi.Config, options: HubOptions, previous: pulumi.Output[Mapping[str, Any]]
) -> dict[str, pulumi.Output[str]]:
    """File name to content of the secrets that a hub with these settings reads."""
    made = []
    given = {}
    if options.auth.kind == "sharedPassword":
        made = ["shared_password", *(["admin_password"] if options.admins else [])]
    else:
        given = {"oauth_client_id": "oauthClientId", "oauth_client_secret": "oauthClientSecret"}
    if options.metrics:
        made.append("metrics_token")
    return {
        **{file: kept_or_made(config, MADE_SECRETS[file], previous) for file in made},
        **{file: config.require_secret(key) for file, key in given.items()},
    }


def backup_secrets(
    config: pulumi.Config, previous: pulumi.Output[Mapping[str, Any]]
) -> dict[str, pulumi.Output[str]]:
    """File name to content of the secrets that the backup reads."""
    credentials = config.get_secret("backupCredentials")
    return {
        "backup_password": kept_or_made(config, "backupPassword", previous),
        **({"backup_credentials": credentials} if credentials is not None else {}),
    }


def missing_secrets(parts: Parts) -> Sequence[Fault]:
    """Secrets that the chosen sign-in needs and the stack file does not hold."""
    kinds = {hub.auth.kind for hub in (parts.get("hub"), *(parts.get("hubs") or {}).values()) if hub}
    needed = {"oauthClientId", "oauthClientSecret"} if kinds - {"sharedPassword"} else set()
    return [
        Fault(key, f"is required for this sign-in; run: pulumi config set --secret {key} VALUE")
        for key in sorted(needed - parts.given_secrets)
    ]
