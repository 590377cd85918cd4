"""What a home gets before its owner's server starts: ways to shared folders, the image's files, a welcome.

None of it keeps anybody from starting: what does not go well is in the log, and is tried again next time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from docker.errors import APIError, DockerException, NotFound

from hubconfig.homes.inside import is_noted, new_file, note, opened
from hubconfig.homes.start_files import TooMuchError, unpack
from hubconfig.options import Application
from hubconfig.pages import welcome
from hubconfig.servers.spaces import put_links

if TYPE_CHECKING:
    from hubconfig.servers.spawner import Server

_WELCOMED = "welcomed"


async def furnish(server: Server, entry: Application) -> None:
    """Have all of it in the home of a server that is about to start from its image."""
    home = server.homes.here / server.user.name
    options = server.settings.options

    def quick() -> bool:
        """Whether the image's files are there, too."""
        with opened(home) as inside:
            put_links(inside, options.spaces, entry.home)
            if not is_noted(inside, _WELCOMED):
                _write_once(inside, welcome.FILE, welcome.notebook(options, entry.home))
                note(inside, _WELCOMED)
            return is_noted(inside, _of_image(entry))

    try:
        if not await asyncio.to_thread(quick):
            await _copy_of_image(server, entry, home)
    except (OSError, DockerException, TooMuchError) as error:
        server.log.warning("home of %s: not all was put into it: %s", server.user.name, error)


def _write_once(home: int, name: str, content: bytes) -> None:
    try:
        with new_file(home, name) as file:
            file.write(content)
    except FileExistsError:
        pass  # somebody's own


def _of_image(entry: Application) -> str:
    return f"files-of-{entry.name}"


async def _copy_of_image(server: Server, entry: Application, home: Path) -> None:
    """Put the files of an image's home into a user's.

    Docker shows an image's files by a container only; this one is never started, and has no network to be
    taken for a server on.
    """
    made = await server.docker("create_container", server.image, command="none", network_disabled=True)
    try:
        try:
            chunks, _ = await server.docker("get_archive", made["Id"], entry.home)
        except NotFound:
            chunks = ()
        new = await asyncio.to_thread(_unpack, chunks, home, entry)
    finally:
        try:
            await server.docker("remove_container", made["Id"], force=True, v=True)
        except APIError as error:
            server.log.warning("the container %s is left over: %s", made["Id"][:12], error)
    if new:
        server.log.info("home of %s: %d files of %s are new", server.user.name, new, entry.name)


def _unpack(chunks: Iterable[bytes], home: Path, entry: Application) -> int:
    with opened(home) as inside:
        new = unpack(chunks, inside) if chunks else 0
        note(inside, _of_image(entry))
        return new
