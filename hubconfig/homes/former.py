"""Homes of an older cyberhub under names that nobody has here: told with what to rename."""

from __future__ import annotations

from collections.abc import Iterable

from hubconfig.names import TAGGED_NAME, safe_name


def to_rename(folders: Iterable[str]) -> dict[str, str]:
    """Folder to the name under which its owner's home is looked for, where the two differ.

    :param folders: what is in the folder of homes; hidden ones are nobody's home.
    """
    return {
        folder: safe_name(folder)
        for folder in sorted(folders)
        if folder.strip() and not folder.startswith((".", "lost+found")) and not _is_a_name(folder)
    }


def _is_a_name(folder: str) -> bool:
    return TAGGED_NAME.fullmatch(folder) is not None or safe_name(folder) == folder
