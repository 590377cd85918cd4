"""How a user's server is run, in every image: the hub tells Docker so, and so each image is tried before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from hubconfig import container as inside
from hubconfig.servers import seal
from hubconfig.servers.path import safe_path

USER: Final = f"{inside.UID}:{inside.GID}"
"""Uid and gid of every server, also in images that would choose another; homes belong to it."""

PROGRAM: Final = ("jupyterhub-singleuser",)
"""What a server runs: the image's own ENTRYPOINT gets it as its command."""

ANSWER_S: Final = 240
"""Seconds until a server must take connections. JupyterLab needs some 3 s of a CPU for it; when a class
starts all at once, the last one waits for all others."""

SEAL: Final = f"seccomp={seal.profile()}"

RIGHTS: Final[dict[str, Any]] = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges", SEAL],
    "init": True,
}
"""What a server may do, in the words of Docker's own interface."""

_BY_FILE: Final = {SEAL: "seccomp=/dev/stdin"}
"""What `docker run` takes from a file only."""

RUNTIME: Final = {"JUPYTER_RUNTIME_DIR": "/tmp/jupyter-runtime"}  # noqa: S108 - the container's, where one user is
"""Where a server notes its kernels and passwords: not in the home, so that it starts kernels, too, when
nothing can be written there."""


def environment(user: str, home: str) -> dict[str, str]:
    """The variables of every server."""
    return {
        "HOME": home,
        # Images without an account of uid 1000 have no other answer to `getpass.getuser()`.
        "USER": user,
        "LOGNAME": user,
        **RUNTIME,
    }


def options(user: str, home: str, image_environment: Iterable[str]) -> list[str]:
    """The options of `docker run` that run a command as the hub runs a server; stdin is the seal.

    :param image_environment: the image's own, as `NAME=VALUE`.
    """
    variables = environment(user, home) | safe_path(image_environment, [home])
    return [
        *("--user", USER),
        *(word for right in RIGHTS["cap_drop"] for word in ("--cap-drop", right)),
        *(word for each in RIGHTS["security_opt"] for word in ("--security-opt", _BY_FILE.get(each, each))),
        *(["--init"] if RIGHTS["init"] else []),
        *("--tmpfs", f"{home}:exec,mode=0700,uid={inside.UID},gid={inside.GID}"),
        *(word for name, value in variables.items() for word in ("--env", f"{name}={value}")),
    ]
