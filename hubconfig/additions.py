"""What each concern of a hub adds to the lists that all of them share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hubconfig.background import Job


@dataclass(frozen=True)
class Additions:
    """Services, roles, variables of pages and jobs; whoever gathers them sets each trait once."""

    services: tuple[Mapping[str, Any], ...] = ()
    """In the form of `JupyterHub.services`."""
    roles: tuple[Mapping[str, Any], ...] = ()
    """In the form of `JupyterHub.load_roles`."""
    template_vars: Mapping[str, Any] = field(default_factory=dict)
    """What templates of pages may ask for."""
    jobs: tuple[Job, ...] = ()
    """What is to be done in the hub's event loop while it runs."""

    @classmethod
    def of_service(cls, name: str, token: str, scopes: Iterable[str], *jobs: Job) -> Additions:
        """A service that may do what these scopes say, and the jobs that act in its name."""
        return cls(
            services=({"name": name, "api_token": token},),
            roles=({"name": name, "scopes": list(scopes), "services": [name]},),
            jobs=jobs,
        )

    @classmethod
    def all(cls, parts: Iterable[Additions]) -> Additions:
        """Several concerns' additions as one."""
        given = tuple(parts)
        return cls(
            services=tuple(each for part in given for each in part.services),
            roles=tuple(each for part in given for each in part.roles),
            template_vars={name: value for part in given for name, value in part.template_vars.items()},
            jobs=tuple(each for part in given for each in part.jobs),
        )
