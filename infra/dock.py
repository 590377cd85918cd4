"""The machine's Docker, as one stack uses it: what all containers have in common, and what is done there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import pulumi
import pulumi_docker as docker

from hubconfig import container, labels
from hubconfig.names import Names
from infra.engine import Engine, MissingError, UnreachableError
from infra.images.contexts import ROOT

LOG_LIMITS: Final = {"max-size": "10m", "max-file": "3"}
"""30 MB of log a container; said here because the engine's default would else show as a change."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Dock:
    """Where a stack's containers go."""

    stack: str
    engine: pulumi.Output[Engine]
    """Known once it answers."""
    options: pulumi.ResourceOptions
    """Of everything that is made there."""

    @property
    def names(self) -> Names:
        """What everything is called there."""
        return Names(self.stack)

    def with_options(self, more: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
        """The options of something that is made there and has some of its own."""
        return pulumi.ResourceOptions.merge(self.options, more)

    def container(
        self,
        resource: str,
        role: labels.Role,
        args: docker.ContainerArgs,
        *,
        rights: Sequence[str] = (),
        security: Sequence[str] = (),
        hub: str | None = None,
        must_run: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> docker.Container:
        """A container: it has these rights and can get no other, and comes back by itself.

        :param resource: what Pulumi calls it.
        :param args: the rest of it; what is said here is set in it.
        :param rights: Linux's capabilities, without their CAP_.
        :param security: Docker's security options beside those that all have.
        :param hub: the hub whose container it is.
        :param must_run: whether one that ends is an error before its log is seen.
        """
        known = labels.labels(self.stack, role, hub=hub)
        args.restart = "unless-stopped"
        args.capabilities = docker.ContainerCapabilitiesArgs(
            drops=["ALL"], adds=[f"CAP_{right}" for right in sorted(rights)]
        )
        args.security_opts = ["no-new-privileges:true", *security]
        args.labels = [
            docker.ContainerLabelArgs(label=label, value=value) for label, value in sorted(known.items())
        ]
        args.log_driver = "json-file"
        args.log_opts = LOG_LIMITS
        args.must_run = must_run
        # Its name, address and ports are free only once its predecessor is gone.
        options = self.with_options(pulumi.ResourceOptions(delete_before_replace=True))
        return docker.Container(resource, args, pulumi.ResourceOptions.merge(options, opts))

    def once(
        self, value: pulumi.Output[T], act: Callable[[Engine, T], T], otherwise: Callable[[T], str]
    ) -> pulumi.Output[T]:
        """A value, as `act` gives it on once that has been done on the engine.

        A preview does nothing. A machine that is not there, or that lacks what this takes, is only told of:
        `pulumi destroy` runs the program too.

        :param otherwise: what is not done, for the warning.
        """

        def do(engine: Engine, known: T) -> T:
            if pulumi.runtime.is_dry_run():
                return known
            try:
                return act(engine, known)
            except (UnreachableError, MissingError) as error:
                pulumi.log.warn(f"{otherwise(known)}: {error}")
                return known

        return self.engine.apply(lambda engine: value.apply(lambda known: do(engine, known)))


def code_uploads(files: Iterable[str]) -> list[docker.ContainerUploadArgs]:
    """Files of the hub's code, for a container that runs no more of it.

    :param files: paths in `hubconfig`.
    """
    return [
        docker.ContainerUploadArgs(
            file=f"{container.CODE}/hubconfig/{file}", content=(ROOT / "hubconfig" / file).read_text()
        )
        for file in files
    ]


def secret_uploads(secrets: Mapping[str, pulumi.Output[str]]) -> list[docker.ContainerUploadArgs]:
    """Secrets as files for a container's root alone, by their names."""
    return [
        docker.ContainerUploadArgs(
            file=f"{container.GIVEN_SECRETS}/{name}", content=pulumi.Output.secret(value), permissions="0600"
        )
        for name, value in sorted(secrets.items())
    ]
