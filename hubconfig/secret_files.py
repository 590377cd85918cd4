"""The hub's secrets: one file each, put there by whoever starts the container."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hubconfig.container import SECRETS

SECRETS_DIR = Path(SECRETS)

USER_PASSWORD_MIN: Final = 8
ADMIN_PASSWORD_MIN: Final = 32
"""Characters; both are SharedPasswordAuthenticator's own rules."""

TOKEN_MIN: Final = 8
"""Characters; JupyterHub's own rule, whose error shows the token's first ones."""


def password_refusal(password: str, shortest: int) -> str | None:
    """Why this may not be a password, without it; None if it may.

    :param shortest: characters that it must have.
    """
    if len(password) < shortest:
        return f"has {len(password)} characters; it must have at least {shortest}"
    if not password.isascii():
        return "has letters beyond ASCII, which not every keyboard types alike; use others"
    return None


def secret(name: str, folder: Path = SECRETS_DIR) -> str:
    """A secret's value. Raises ValueError, without the value, when it is missing or empty."""
    try:
        value = (folder / name).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"the secret {name} cannot be read from {folder / name}: {type(error).__name__}"
        ) from None
    if not value:
        raise ValueError(f"the secret {name} is empty in {folder / name}; set it and run `pulumi up` again")
    return value
