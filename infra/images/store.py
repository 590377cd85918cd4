"""Gets images onto a machine: built there, built here and sent, or pulled."""

from __future__ import annotations

import os

import pulumi
import pulumi_docker as docker

from hubconfig.options import Application
from infra.dock import Dock
from infra.images import ship
from infra.images.check import checked
from infra.images.contexts import BuildContext, own_context, proxy_context
from infra.images.git_source import git_context
from infra.images.versions import BASE_IMAGE, CADDY_IMAGE
from infra.stack.clouds import ImageSource
from infra.stack.settings import Images


class ImageStore:
    """The images of one site; each is there once, however many menus name it."""

    def __init__(
        self,
        settings: Images,
        source: ImageSource,
        *,
        dock: Dock,
        here: pulumi.ResourceOptions,
    ) -> None:
        """Keep the ways to both engines.

        :param dock: the machine's engine.
        :param here: options that reach this computer's engine, for images that are sent.
        """
        self.prefix = settings.prefix
        """What the names of our images begin with."""
        self._settings = settings
        self._source = source
        self._dock = dock
        self._here = here
        self._ids: dict[str, pulumi.Output[str]] = {}
        self._tried: dict[tuple[str, str], pulumi.Output[str]] = {}
        self._sources: dict[str, object] = {}
        self._built: dict[str, tuple[docker.RemoteImage, str]] = {}

    def own(self, name: str) -> pulumi.Output[str]:
        """The id of an image of ours: hub, proxy, fence or an application hub."""
        if name in self._ids:
            return self._ids[name]
        if self._source == "pull":
            return self._pulled(name, f"{self._settings.prefix}{name}:{self._settings.tag}")
        context = proxy_context() if name == "proxy" else own_context(name)
        return self._made(context)

    def every(self) -> pulumi.Output[list[str]]:
        """The ids of all that was asked for so far, and of what was built for them to start from."""
        parents = [image.image_id for image, _ in self._built.values()]
        return pulumi.Output.all(*self._ids.values(), *parents).apply(lambda ids: sorted(set(ids)))

    def application(self, entry: Application) -> pulumi.Output[str]:
        """The id of a menu entry's image."""
        key = self._key(entry)
        if (key, entry.home) not in self._tried:
            if key not in self._ids:
                self._ids[key] = self._found(key, entry)
            self._tried[key, entry.home] = checked(entry, self._ids[key], self._dock)
        return self._tried[key, entry.home]

    def _found(self, key: str, entry: Application) -> pulumi.Output[str]:
        if entry.image is not None:
            return self._pulled(key, entry.image)
        if entry.git is not None:
            return self._made(git_context(key, entry.name, entry.git))
        assert entry.build is not None  # noqa: S101 - the settings hold exactly one of the three
        return self.own(entry.build)

    def _key(self, entry: Application) -> str:
        """What an entry's image is called here; menus of two hubs may mean different ones by one name."""
        if entry.build is not None:
            return entry.build
        source = entry.image or entry.git
        key = f"menu-{entry.name}"
        while self._sources.setdefault(key, source) != source:
            key += "-other"
        return key

    def _pulled(self, key: str, reference: str) -> pulumi.Output[str]:
        image = docker.RemoteImage(f"image-{key}", name=reference, keep_locally=True, opts=self._dock.options)
        self._ids[key] = image.image_id
        return image.image_id

    def _made(self, context: BuildContext) -> pulumi.Output[str]:
        image, reference = self._build(context)
        if self._source == "ship":
            image_id = ship.shipped(image.image_id, reference, self._dock)
        else:
            image_id = image.image_id
        self._ids[context.name] = image_id
        return image_id

    def _build(self, context: BuildContext) -> tuple[docker.RemoteImage, str]:
        """Build an image, once; it and its name."""
        if context.name in self._built:
            return self._built[context.name]
        arguments = {
            "BASE": self._settings.base or os.environ.get("CYBERHUBS_BASE_IMAGE") or BASE_IMAGE,
            "CADDY_IMAGE": CADDY_IMAGE,
        }
        parents = []
        if "COREHUB" in context.wants:
            parent, arguments["COREHUB"] = self._build(own_context("corehub"))
            parents.append(parent)
        arguments = {key: value for key, value in arguments.items() if key in context.wants}
        reference = f"{self._settings.prefix}{context.name}:{context.digest(arguments)}"
        way = self._here if self._source == "ship" else self._dock.options
        image = docker.RemoteImage(
            f"image-{context.name}",
            name=reference,
            build=docker.RemoteImageBuildArgs(
                context=str(context.folder),
                dockerfile=context.dockerfile,
                build_args=arguments,
            ),
            # A replaced image may still be under somebody's running server.
            keep_locally=True,
            opts=pulumi.ResourceOptions.merge(way, pulumi.ResourceOptions(depends_on=parents)),
        )
        self._built[context.name] = image, reference
        return image, reference
