"""Where a server's program is looked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath


def safe_path(environment: Iterable[str], mounted: Iterable[str]) -> dict[str, str]:
    """The variable PATH for a server, without what its user may write; nothing where the image has none.

    By it Docker and the image's own programs find the server's program. Terminals and kernels have one of
    their own.

    :param environment: the image's, as `NAME=VALUE`.
    :param mounted: the folders that come from outside.
    """
    path = dict(each.partition("=")[::2] for each in environment).get("PATH")
    if path is None:
        return {}
    users = [PurePosixPath(each) for each in (*mounted, "/home", "/tmp", "/dev/shm", "/var/tmp")]  # noqa: S108 - not used, but refused
    places = [place for place in path.split(":") if place.startswith("/") and ".." not in place]
    kept = [place for place in places if not any(PurePosixPath(place).is_relative_to(own) for own in users)]
    return {"PATH": ":".join(kept or ("/usr/local/bin", "/usr/bin", "/bin"))}
