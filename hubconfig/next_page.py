"""Where a sign-in leads afterwards: to a page of the hub, whatever a link says."""

from __future__ import annotations

from typing import Any

from jupyterhub.handlers.base import BaseHandler

_of_jupyterhub = BaseHandler._validate_next_url  # noqa: SLF001 - JupyterHub has no setting for it


def _validated(handler: Any, next_url: str) -> str:
    try:
        checked: str = _of_jupyterhub(handler, next_url)
    except ValueError:
        # No address at all, as `http://[::1]@x`: JupyterHub's answer would be an error of its own.
        handler.log.warning("Disallowing redirect to what is no address: %r", next_url)
        return ""
    return checked


def lead_nowhere_else() -> None:
    """Have JupyterHub take what is no address for none."""
    BaseHandler._validate_next_url = _validated  # noqa: SLF001 - the one place through which all of them go
