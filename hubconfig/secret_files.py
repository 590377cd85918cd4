"""The hub's secrets: one file each, put there by whoever starts the container."""

from __future__ import annotations

from pathlib import Path

from hubconfig.container import SECRETS

SECRETS_DIR = Path(SECRETS)


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
