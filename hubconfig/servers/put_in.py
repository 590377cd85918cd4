"""What the hub puts into each user's server, besides what is mounted, as an archive that Docker unpacks."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping


def packed(links: Mapping[str, str], files: Mapping[str, bytes]) -> bytes:
    """Links and files, of root, for a container's root folder.

    :param links: path to what it is a link to.
    :param files: path to content.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, target in links.items():
            link = tarfile.TarInfo(path.lstrip("/"))
            link.type = tarfile.SYMTYPE
            link.linkname = target
            tar.addfile(link)
        for path, content in files.items():
            file = tarfile.TarInfo(path.lstrip("/"))
            file.size = len(content)
            tar.addfile(file, io.BytesIO(content))
    return archive.getvalue()
