"""An account for the user of a server whose image has none of uid 1000: else `whoami` and much else fail."""

from __future__ import annotations

import io
import re
import tarfile
from typing import Any, Final

from docker.errors import NotFound

from hubconfig.container import GID, UID

FILE: Final = "etc/passwd"

_NAME: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
"""What all programs take for a name; an e-mail address is none."""


def accounts(client: Any, container_id: str) -> str | None:
    """The accounts of a container's image; None where one of them is a server's already.

    One whose file is a link is left as it is: it leads to where its system makes accounts.

    :param client: Docker's own client.
    """
    try:
        parts, _ = client.get_archive(container_id, f"/{FILE}")
    except NotFound:
        return ""
    with tarfile.open(fileobj=io.BytesIO(b"".join(parts))) as archive:
        (entry,) = archive.getmembers()
        file = archive.extractfile(entry) if entry.isreg() else None
        text = file.read().decode(errors="surrogateescape") if file else None
    return None if text is None or _has_uid(text) else text


def with_account(known: str, user: str, home: str) -> bytes:
    """The accounts with one more: what the container's file is to hold.

    :param known: those of the image.
    :param user: the hub's name for who works there.
    """
    taken = {line.partition(":")[0] for line in known.splitlines()}
    names = (name for name in (user, "user", "cyberhub-user") if _NAME.fullmatch(name) and name not in taken)
    line = f"{next(names)}:x:{UID}:{GID}::{home}:/bin/sh\n"
    whole = "".join(f"{each}\n" for each in known.splitlines())
    return f"{whole}{line}".encode(errors="surrogateescape")


def _has_uid(text: str) -> bool:
    return any(line.split(":")[2:3] == [f"{UID}"] for line in text.splitlines())
