"""Refuses an application image whose JupyterHub cannot work with the hub's, before the menu offers it."""

from __future__ import annotations

import re

import pulumi

from hubconfig import labels
from infra.dock import Dock
from infra.engine import Engine, EngineError, MissingError, UnreachableError
from infra.images.contexts import SYSTEM_IMAGES


def hub_version() -> str:
    """The JupyterHub that the hub's image is locked to."""
    lock = (SYSTEM_IMAGES / "hub" / "requirements.txt").read_text()
    found = re.search(r"^jupyterhub==([0-9][\w.]*)", lock, re.MULTILINE)
    if found is None:
        raise pulumi.RunError(
            "hubconfig/images/system/hub/requirements.txt does not say which jupyterhub it has"
        )
    return found[1]


def checked(entry: str, image_id: pulumi.Output[str], dock: Dock) -> pulumi.Output[str]:
    """The image's id, once it is known to hold a JupyterHub that works with the hub's.

    Not asked in a preview, when the image may not be there.
    """

    def check(engine: Engine, image: str) -> str:
        complaint = mismatch(hub_version(), image_version(engine, image))
        if complaint:
            raise pulumi.RunError(f"menu entry {entry}: {complaint}")
        return image

    return dock.once(image_id, check, lambda _: f"the image of menu entry {entry} was not looked at")


def image_version(engine: Engine, image: str) -> str | None:
    """The version of JupyterHub in an image: what its label says, else what the program in it says.

    Raises MissingError when the image itself is gone, UnreachableError.
    """
    label = f'{{{{index .Config.Labels "{labels.JUPYTERHUB}"}}}}'
    try:
        said = engine.run("image", "inspect", "--format", label, image)
    except (MissingError, UnreachableError):
        raise
    except EngineError:
        said = ""  # an image without any label
    if not re.match(r"\d", said):
        try:
            said = engine.run(
                *("run", "--rm", "--network", "none", "--entrypoint", "jupyterhub-singleuser"),
                *(image, "--version"),
            )
        except UnreachableError:
            raise
        except EngineError:
            return None
    found = re.search(r"\d+(\.\w+)+", said.splitlines()[-1] if said else "")
    return found[0] if found else None


def mismatch(hub: str, application: str | None) -> str | None:
    """Why an image cannot work with a hub; None when it can.

    Hub and server speak a protocol that JupyterHub changes with its major version only.
    """
    if application is None:
        return (
            "its image does not start jupyterhub-singleuser; "
            f"install jupyterhub=={hub} and jupyterlab in it, or choose another image"
        )
    if application.partition(".")[0] != hub.partition(".")[0]:
        return (
            f"its image has JupyterHub {application}, which cannot work with the hub's {hub}; "
            f"install jupyterhub=={hub} in it, or choose a newer image"
        )
    return None
