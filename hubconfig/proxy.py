"""JupyterHub's side of a proxy that keeps no table."""

from __future__ import annotations

from typing import Any, TypedDict

from jupyterhub.proxy import Proxy
from traitlets import Bool


class Route(TypedDict):
    """What JupyterHub remembers of a route."""

    routespec: str
    target: str
    data: dict[str, Any]


class StaticProxy(Proxy):
    """The proxy finds users' servers by their names, so routes are only noted here.

    JupyterHub compares this table with its servers now and then; after a restart of the hub it
    fills it anew.
    """

    should_start = Bool(False)

    def __init__(self, **kwargs: Any) -> None:
        """Begin with an empty table."""
        super().__init__(**kwargs)
        self._routes: dict[str, Route] = {}

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        """Note a route."""
        self._routes[routespec] = Route(routespec=routespec, target=target, data=data)

    async def delete_route(self, routespec: str) -> None:
        """Forget a route, known or not."""
        self._routes.pop(routespec, None)

    async def get_all_routes(self) -> dict[str, Route]:
        """All routes by their path."""
        return dict(self._routes)
