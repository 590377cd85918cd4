"""Whether the secrets that only a person can give are there, and whether those given can be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hubconfig.options import remote_spaces
from infra.stack.faults import Fault
from infra.stack.secrets import (
    ADMIN_PASSWORD,
    BACKUP_CREDENTIALS,
    BACKUP_PASSWORD,
    SHARED_PASSWORD,
    SPACE_KEYS,
    TABLE,
    read_by,
    space_key_command,
    space_key_refusal,
)
from infra.stack.sections import Sections

_UNGUESSED = 16
"""Characters of a shared password that is not told as short; those who have a shorter one go on."""


def faults(sections: Sections) -> Sequence[Fault]:
    """Secrets that are missing, or that the hub, restic or a mount would refuse once all is made."""
    return [*_of_hubs_and_backup(sections), *_of_spaces(sections)]


def _of_hubs_and_backup(sections: Sections) -> Iterator[Fault]:
    given = sections.secrets
    by_hubs = {secret for options in sections.every_hub().values() for secret in read_by(options)}
    by_backup = {BACKUP_PASSWORD, BACKUP_CREDENTIALS} if sections.backup is not None else set()
    for secret in TABLE:
        value = given.get(secret.key)
        if value is None and secret in by_hubs and not secret.made:
            yield Fault(secret.key, f"is required for this sign-in; run: {secret.command}")
        if value is not None and secret in by_hubs | by_backup and (why := secret.refusal(value)):
            yield Fault(secret.key, why)
    user, admin = (given.get(secret.key, "").strip() for secret in (SHARED_PASSWORD, ADMIN_PASSWORD))
    if SHARED_PASSWORD in by_hubs and not SHARED_PASSWORD.refusal(user) and len(user) < _UNGUESSED:
        yield Fault(
            SHARED_PASSWORD.key,
            f"has fewer than {_UNGUESSED} characters, and everybody on the internet may guess. "
            f"Set a longer one, or have one made: pulumi config rm {SHARED_PASSWORD.key}",
            stops=False,
        )
    if ADMIN_PASSWORD in by_hubs and admin and admin == user:
        yield Fault(ADMIN_PASSWORD.key, f"is the same as {SHARED_PASSWORD.key}; give admins their own")


def _of_spaces(sections: Sections) -> Iterator[Fault]:
    spaces = remote_spaces([*sections.every_hub().values()])
    if spaces and SPACE_KEYS.key in sections.secrets:
        yield Fault(
            SPACE_KEYS.key,
            f"is one text; give each space its own: pulumi config rm {SPACE_KEYS.key}, then "
            f"{space_key_command(min(spaces))}",
        )
        return
    for name, space in sorted(spaces.items()):
        key = f"{SPACE_KEYS.key}.{name}"
        given = sections.secrets.get(key, "")
        if not given.strip():
            yield Fault(SPACE_KEYS.key, f"the space {name} needs one; run: {space_key_command(name)}")
        elif why := space_key_refusal(space, given):
            yield Fault(key, why)
