"""Tries an application image as a user's server runs it, and says in words what is wrong with it."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hubconfig import labels
from hubconfig.servers import launch, seal
from infra.engine import Engine, EngineError, MissingError, UnreachableError

SECONDS: Final = launch.ANSWER_S
"""The longest that an image may take to say a version, as a server may to answer; it takes 2 s of a CPU."""

_NO_SUCH_PROGRAM: Final = "no-such-program-of-cyberhubs"

_LINES_SHOWN: Final = 12

_USER: Final = "somebody"


@dataclass(frozen=True)
class Image:
    """What Docker knows of an image."""

    id: str
    entrypoint: Sequence[str]
    environment: Sequence[str]
    architecture: str

    @classmethod
    def of(cls, engine: Engine, image: str) -> Image:
        """Ask for it. Raises MissingError when it is gone, UnreachableError."""
        known: dict[str, Any] = json.loads(engine.run("image", "inspect", "--format", "{{json .}}", image))
        config = known.get("Config") or {}
        return cls(
            image,
            config.get("Entrypoint") or [],
            config.get("Env") or [],
            known.get("Architecture", ""),
        )


@dataclass(frozen=True)
class Ended:
    """What came of a command."""

    code: int | None
    """None: it did not end."""
    said: str


def complaint(engine: Engine, image: str, home: str, hub: str, stack: str) -> str | None:
    """Why an image cannot be a server of the hub's; None when it can.

    :param home: where its users' home folder is mounted.
    :param hub: the hub's version of JupyterHub.
    :param stack: whose menu it is for; what an earlier trial of it could not remove goes first.

    Raises MissingError when the image is gone, UnreachableError.
    """
    known = Image.of(engine, image)
    mark = f"{labels.TRIAL}={stack}"
    for left in engine.run("ps", "--all", "--filter", f"label={mark}", "--format", "{{.Names}}").split():
        _remove(engine, left)
    asked = _run(engine, known, home, mark, *launch.PROGRAM, "--version")
    if asked.code != 0:
        return _not_started(engine, known, asked, hub)
    if _run(engine, known, home, mark, _NO_SUCH_PROGRAM, "--version").code in (0, None):
        return (
            f"its image does not run the command that it is given: its {_entrypoint(known)} takes it for "
            f"words of its own. {_OTHER_ENTRYPOINT}"
        )
    version = version_in(asked.said)
    if version is None:
        return (
            f"its image does not say its version of JupyterHub when it is asked by "
            f"`{' '.join(launch.PROGRAM)} --version`; it says:\n{_end(asked.said)}"
        )
    return mismatch(hub, version)


def version_in(said: str) -> str | None:
    """The version in what `jupyterhub-singleuser --version` printed, among warnings and greetings."""
    found = re.findall(r"^\s*v?(\d+(?:\.\w+)+)\s*$", said, re.MULTILINE)
    return found[-1] if found else None


def mismatch(hub: str, application: str) -> str | None:
    """Why an image cannot work with a hub; None when it can.

    Hub and server speak a protocol that JupyterHub changes with its major version only.
    """
    if application.partition(".")[0] != hub.partition(".")[0]:
        return (
            f"its image has JupyterHub {application}, which cannot work with the hub's {hub}; "
            f"install jupyterhub=={hub} in it, or choose a newer image"
        )
    return None


def _run(engine: Engine, image: Image, home: str, mark: str, *command: str) -> Ended:
    """Run a command in the image as a server runs. Raises UnreachableError."""
    name = f"cyberhubs-trial-{uuid.uuid4().hex[:12]}"
    options = launch.options(_USER, home, image.environment)
    try:
        engine.run_with_file(
            seal.profile(),
            *("run", "--detach", "--name", name, "--label", mark, "--network", "none"),
            *(*options, image.id, *command),
        )
        return _end_of(engine, name)
    except UnreachableError:
        raise
    except EngineError as error:
        return Ended(125, str(error))  # as docker run(1) ends when Docker could not start it
    finally:
        _remove(engine, name)


def _end_of(engine: Engine, name: str) -> Ended:
    deadline = time.monotonic() + SECONDS
    pause = 0.1
    while True:
        status, code = engine.run(
            "inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name
        ).split()
        if status not in ("created", "running"):
            return Ended(int(code), engine.run("logs", name))
        if time.monotonic() > deadline:
            return Ended(None, engine.run("logs", name))
        time.sleep(pause)
        pause = min(pause * 1.5, 1)


def _remove(engine: Engine, name: str) -> None:
    try:
        engine.run("rm", "--force", "--volumes", name)
    except MissingError:
        return  # Docker could not even make it, or it has just gone


_NOT_THERE: Final = re.compile(r"no such file|not found|no module named", re.IGNORECASE)
_NOT_ALLOWED: Final = re.compile(r"permission denied|operation not permitted", re.IGNORECASE)

_OTHER_ENTRYPOINT: Final = (
    'Let it end in `exec "$@"`, or take it away in an image of your own: `FROM` this one and `ENTRYPOINT []`'
)


def _not_started(engine: Engine, image: Image, asked: Ended, hub: str) -> str:
    """Why no server can start from an image, with the words of Docker or of the image, and what to do."""
    command = f"{' '.join(launch.PROGRAM)} --version"
    if asked.code is None:
        ended = f"`{command}` did not end within {SECONDS} s"
    else:
        ended = f"`{command}` ended with {asked.code}"
    words = [
        f"its image does not start as a server does, as user {launch.USER} without any rights: {ended}",
        *([f"and said:\n{_end(asked.said)}"] if asked.said.strip() else ["and said nothing."]),
    ]
    return f"{' '.join(words)}\n{_way_out(engine, image, asked, hub)}"


def _way_out(engine: Engine, image: Image, asked: Ended, hub: str) -> str:
    machine = engine.run("version", "--format", "{{.Server.Arch}}")
    if image.architecture and image.architecture != machine:
        return (
            f"It was made for {image.architecture}, and the machine is {machine}: build it with "
            f"`docker buildx build --platform linux/{machine}`, or choose an image for {machine}."
        )
    install = f"install jupyterhub=={hub} and jupyterlab in it, or choose another image."
    if asked.code is not None and _NOT_ALLOWED.search(asked.said):
        readable = "let everybody read what root installed (not below /root; `chmod -R a+rX`)"
        if image.entrypoint:
            return f"Either {readable}, or its {_entrypoint(image)} wants to be root: {_OTHER_ENTRYPOINT}."
        return f"{readable[0].upper()}{readable[1:]}."
    if image.entrypoint and not _NOT_THERE.search(asked.said):
        return (
            f"If that is its {_entrypoint(image)}, which may want to be root or not run what it is given: "
            f"{_OTHER_ENTRYPOINT}. Else {install}"
        )
    return f"{install[0].upper()}{install[1:]}"


def _entrypoint(image: Image) -> str:
    return f"ENTRYPOINT {json.dumps(list(image.entrypoint))}"


def _end(said: str) -> str:
    """The last lines, without what would paint a terminal."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]", "", said)
    return "\n".join(f"    {line}" for line in plain.strip().splitlines()[-_LINES_SHOWN:])
