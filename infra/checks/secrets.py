"""Whether the secrets that only a person can give are there."""

from __future__ import annotations

from collections.abc import Sequence

from hubconfig.options import remote_spaces
from infra.stack.faults import Fault
from infra.stack.secrets import SPACE_KEYS, TABLE, read_by, space_key_command
from infra.stack.sections import Sections


def faults(sections: Sections) -> Sequence[Fault]:
    """Secrets that a sign-in or a folder of another machine needs, and the stack file does not hold."""
    hubs = [*sections.every_hub().values()]
    needed = {secret for options in hubs for secret in read_by(options) if not secret.made}
    told = [
        Fault(secret.key, f"is required for this sign-in; run: {secret.command}")
        for secret in TABLE
        if secret in needed and secret.key not in sections.secrets
    ]
    spaces = remote_spaces(hubs)
    if spaces and SPACE_KEYS.key not in sections.secrets:
        told.append(
            Fault(SPACE_KEYS.key, f"the space {min(spaces)} needs one; run: {space_key_command(min(spaces))}")
        )
    return told
