"""Which request leads to which method, and what the services have in common."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from tests.clouds.fake_openstack.cloud import PROJECT_ID, Cloud, Json, missing, new_id

Method = TypeVar("Method", bound=Callable[..., Json | None])

ROUTES: list[tuple[str, re.Pattern[str], str]] = []


def route(method: str, pattern: str) -> Callable[[Method], Method]:
    """Have a method answer requests of this kind."""

    def remember(function: Method) -> Method:
        ROUTES.append((method, re.compile(pattern), function.__name__))
        return function

    return remember


class Service:
    """What all services have."""

    def __init__(self, cloud: Cloud) -> None:
        """Answer for this cloud."""
        self.cloud = cloud

    def made(self, asked: Json) -> Json:
        """What was asked for, with what a service adds."""
        return {
            "id": new_id(),
            "tenant_id": PROJECT_ID,
            "project_id": PROJECT_ID,
            "description": "",
            **asked,
        }

    def get(self, kind: dict[str, Json], identity: str) -> Json:
        """One thing of its kind; refused where there is none."""
        if identity not in kind:
            raise missing(identity)
        return kind[identity]
