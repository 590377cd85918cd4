"""Asking a cloud through its plug-in, before anything is made."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import TypeVar

Answer = TypeVar("Answer")


class CloudError(Exception):
    """The cloud, or the plug-in, answered with an error; the text is theirs."""


class NotThereError(Exception):
    """The cloud has no such thing; the text may end with what it has."""


class SeveralError(Exception):
    """The cloud has more than one; the text may end with their names."""


def ask(question: Callable[[], Answer]) -> Answer:
    """The answer to a lookup. Raises CloudError."""
    try:
        return question()
    except Exception as error:
        if type(error) is not Exception:
            raise
        # The SDK raises plain Exception: "invoke of TOKEN failed: ... 1 error occurred: * WORDS".
        words = str(error).rpartition(" error occurred:")[2] or str(error)
        raise CloudError(" ".join(words.strip(" \n\t*").split())) from None


def nearest(name: str, names: Iterable[str]) -> str:
    """A sentence that offers what the name may have been meant to be; the first few where nothing is near."""
    there = sorted(set(names))
    if not there:
        return ""
    lower = {other.lower(): other for other in reversed(there)}
    close = [lower[other] for other in difflib.get_close_matches(name.lower(), lower, n=5, cutoff=0.5)]
    if close:
        return f"; the nearest there are {', '.join(close)}"
    more = f" and {len(there) - 8} more" if len(there) > 8 else ""
    return f"; there are {', '.join(there[:8])}{more}"
