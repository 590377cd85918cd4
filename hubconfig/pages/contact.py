"""How people reach whoever runs a hub, as the settings say it, for pages and notebooks."""

from __future__ import annotations

import re
from html import escape

_MAIL = re.compile(r"[^\s<>@\"']+@[^\s<>@\"']+")
_WEB = re.compile(r"https?://[^\s<>\"'()]+")


def address(contact: str) -> str | None:
    """What a click leads to; None for mere words."""
    if _MAIL.fullmatch(contact):
        return f"mailto:{contact}"
    return contact if _WEB.fullmatch(contact) else None


def as_markdown(contact: str) -> str:
    """For a notebook; empty where nothing is said."""
    found = address(contact)
    return f"[{contact}]({found})" if found else contact


def as_html(contact: str) -> str:
    """For a page; empty where nothing is said."""
    found = address(contact)
    return f'<a href="{escape(found)}">{escape(contact)}</a>' if found else escape(contact)
