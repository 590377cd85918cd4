"""Refuses an application image whose JupyterHub cannot work with the hub's, before the menu offers it."""

from __future__ import annotations

import re

import pulumi

from infra.engine import Engine, EngineError, UnreachableError
from infra.images.contexts import SYSTEM_IMAGES

VERSION_LABEL = "cyberhubs.jupyterhub"
"""Label of our images: the version of JupyterHub inside."""


def hub_version() -> str:
    """The JupyterHub that the hub's image is locked to."""
    lock = (SYSTEM_IMAGES / "hub" / "requirements.txt").read_text()
    found = re.search(r"^jupyterhub==([0-9][\w.]*)", lock, re.MULTILINE)
    if found is None:
        raise pulumi.RunError(
            "hubconfig/images/system/hub/requirements.txt does not say which jupyterhub it has"
        )
    return found[1]


def checked(entry: str, image_id: pulumi.Output[str], engine: pulumi.Output[Engine]) -> pulumi.Output[str]:
    """The image's id, once it is known to hold a JupyterHub that works with the hub's.

    Not asked in a preview, when the image may not be there.
    """

    def check(known: dict[str, object]) -> str:
        image, there = known["image"], known["engine"]
        assert isinstance(image, str)  # noqa: S101 - tells mypy what the dictionary holds
        assert isinstance(there, Engine)  # noqa: S101
        if not pulumi.runtime.is_dry_run():
            try:
                complaint = mismatch(hub_version(), image_version(there, image))
            except UnreachableError as error:
                pulumi.log.warn(f"the image of menu entry {entry} was not looked at: {error}")
                return image
            if complaint:
                raise pulumi.RunError(f"menu entry {entry}: {complaint}")
        return image

    return pulumi.Output.all(image=image_id, engine=engine).apply(check)


def image_version(engine: Engine, image: str) -> str | None:
    """The version of JupyterHub in an image: what its label says, else what the program in it says."""
    label = f'{{{{index .Config.Labels "{VERSION_LABEL}"}}}}'
    try:
        said = engine.run("image", "inspect", "--format", label, image)
    except UnreachableError:
        raise
    except EngineError:
        said = ""  # an image without any label
    if not re.match(r"\d", said):
        try:
            said = engine.run(
                *("run", "--rm", "--network", "none", "--entrypoint", "jupyterhub-singleuser"),
                *(image, "--version"),
            )
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
