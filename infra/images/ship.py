"""Sends images from this computer's Docker engine to a machine's, over SSH.

For machines too small to build, and for those that reach no registry.
"""

from __future__ import annotations

import subprocess

import pulumi

from infra.dock import Dock
from infra.engine import Engine, EngineError, MissingError, UnreachableError, local_engine

_HOURS = 2
"""The longest a transfer may take: 2 GB at 3 Mbit/s."""


def shipped(image_id: pulumi.Output[str], reference: str, dock: Dock) -> pulumi.Output[str]:
    """The image's id on the machine, once it is there.

    The name holds a hash of all that went into the image, so one that is there is never sent again.
    A preview sends nothing and says the id that is the same on every engine.
    """
    return dock.once(
        image_id,
        lambda engine, _: send_image(local_engine(), engine, reference),
        lambda _: f"{reference} was not sent",
    )


def send_image(here: Engine, there: Engine, reference: str) -> str:
    """Send an image by its name, unless it is there; its id there.

    Raises pulumi.RunError when it cannot be sent, UnreachableError when there is no machine.
    """
    found = _image_id(there, reference)
    if found is not None:
        return found
    pulumi.log.info(f"sending {reference} to {there.address}")
    reading = subprocess.Popen(
        here.command("save", reference),
        env=here.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    packing = subprocess.Popen(["gzip", "-1"], stdin=reading.stdout, stdout=subprocess.PIPE)
    if reading.stdout is not None:
        reading.stdout.close()  # so that docker save ends if gzip does
    loading = subprocess.run(
        there.command("load", "--quiet"),
        stdin=packing.stdout,
        capture_output=True,
        text=True,
        timeout=_HOURS * 3600,
        check=False,
    )
    if packing.stdout is not None:
        packing.stdout.close()
    packing.wait()
    _, complaint = reading.communicate()
    arrived = _image_id(there, reference)
    if reading.returncode != 0 or loading.returncode != 0 or arrived is None:
        reason = (complaint.decode() + loading.stderr).strip() or "the connection broke"
        raise pulumi.RunError(
            f"could not send {reference} to {there.address}: {reason}\nRun `pulumi up` again to go on."
        )
    return arrived


def _image_id(engine: Engine, reference: str) -> str | None:
    try:
        return engine.run("image", "inspect", "--format", "{{.Id}}", reference)
    except MissingError:
        return None
    except UnreachableError:
        raise
    except EngineError as error:
        raise pulumi.RunError(
            f"Docker on {engine.address} does not say which images it has: {error}"
        ) from None
