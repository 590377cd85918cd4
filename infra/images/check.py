"""Refuses an application image that cannot be a server of the hub's, before the menu offers it."""

from __future__ import annotations

import hashlib
import re

import pulumi

from hubconfig.options import Application
from hubconfig.servers import launch
from infra.dock import Dock
from infra.engine import Engine, EngineError, MissingError, UnreachableError
from infra.images import trial
from infra.images.contexts import CACHE, SYSTEM_IMAGES


def hub_version() -> str:
    """The JupyterHub that the hub's image is locked to."""
    lock = (SYSTEM_IMAGES / "hub" / "requirements.txt").read_text()
    found = re.search(r"^jupyterhub==([0-9][\w.]*)", lock, re.MULTILINE)
    if found is None:
        raise pulumi.RunError(
            "hubconfig/images/system/hub/requirements.txt does not say which jupyterhub it has"
        )
    return found[1]


def checked(entry: Application, image_id: pulumi.Output[str], dock: Dock) -> pulumi.Output[str]:
    """The image's id, once it was tried as a server on its machine.

    Not tried in a preview, when the image may not be there.
    """

    def check(engine: Engine, image: str) -> str:
        try:
            complaint = complaint_of(engine, image, entry.home, dock.stack)
        except (MissingError, UnreachableError):
            raise
        except EngineError as error:
            raise pulumi.RunError(f"the image of menu entry {entry.name} cannot be tried: {error}") from None
        if complaint:
            raise pulumi.RunError(f"menu entry {entry.name}: {complaint}")
        return image

    return dock.once(image_id, check, lambda _: f"the image of menu entry {entry.name} was not tried")


def complaint_of(engine: Engine, image: str, home: str, stack: str) -> str | None:
    """Why an image cannot be a server; None when it can.

    An image's id says all that is in it, so one that could is not tried again on the same machine.

    Raises MissingError, with the way out, when the image is gone from the machine; UnreachableError.
    """
    hub = hub_version()
    tried = (
        CACHE / f"tried-{_key(engine.address, image, home, hub, launch.USER, launch.SEAL, *launch.PROGRAM)}"
    )
    try:
        if tried.exists():
            engine.run("image", "inspect", "--format", "{{.Id}}", image)
            tried.touch()
            return None
        complaint = trial.complaint(engine, image, home, hub, stack)
    except MissingError as error:
        raise MissingError(
            "somebody removed it from the machine; `make up`, or `pulumi up --refresh`, makes it again: "
            f"{error}"
        ) from None
    if complaint is None:
        tried.parent.mkdir(exist_ok=True)
        tried.touch()
    return complaint


def _key(*parts: str) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
