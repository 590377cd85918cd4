"""Removes images that no menu offers any more: every few hours, or `python3 -m hubconfig.pruning` in the hub.

Each new version of an application hub leaves the old one behind, 2 GB of it.
"""

from __future__ import annotations

import asyncio
import io
import logging
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import docker
from docker.errors import APIError

from hubconfig import labels
from hubconfig.settings import SETTINGS_FILE, HubSettings

EVERY_SECONDS = 6 * 3600.0

YOUNG = timedelta(days=1)
"""An image this young may be one that an update has just put there, and whose hub has not started yet."""


def needed(engine: Any) -> set[str]:
    """Ids and names of the images that any hub on this engine, of any stack, or any container needs.

    Raises docker.errors.APIError or ValueError when a hub cannot be asked; nothing may be removed then.
    """
    found = set()
    for container in engine.containers.list(all=True, ignore_removed=True):
        found |= {container.attrs["Image"], container.attrs["Config"]["Image"]}
        if container.labels.get(labels.ROLE) == "hub":
            parts, _ = container.get_archive(str(SETTINGS_FILE))
            with tarfile.open(fileobj=io.BytesIO(b"".join(parts))) as archive:
                file = archive.extractfile(SETTINGS_FILE.name)
                text = file.read() if file else b""
            found |= set(HubSettings.model_validate_json(text).images_kept)
    return found


def superfluous(engine: Any, settings: HubSettings, now: datetime) -> Iterator[Any]:
    """The images that go: ours that nobody needs, and on a machine that is ours all that nobody needs."""
    kept = needed(engine)
    for image in engine.images.list():
        names = set(image.tags)
        created = datetime.fromisoformat(image.attrs["Created"][:19]).replace(tzinfo=UTC)
        ours = any(name.startswith(settings.images_prefix) for name in names)
        if not ({image.id} | names) & kept and (ours or settings.machine_is_ours) and now - created > YOUNG:
            yield image


def prune(engine: Any, settings: HubSettings, now: datetime) -> list[str]:
    """Remove them; a line for each."""
    removed = []
    for image in list(superfluous(engine, settings, now)):
        name = ", ".join(image.tags) or image.short_id
        try:
            for tag in image.tags or [image.id]:
                engine.images.remove(tag)
        except APIError as error:
            removed.append(f"{name} stays: {error.explanation}")
        else:
            removed.append(f"{name} removed ({image.attrs['Size'] // 10**6} MB with what it shared)")
    return removed


async def job(settings: HubSettings, log: logging.Logger) -> None:
    """Prune once, without holding up the hub."""

    def work() -> list[str]:
        engine = docker.from_env()
        try:
            return prune(engine, settings, datetime.now(UTC))
        finally:
            engine.close()

    for line in await asyncio.to_thread(work):
        log.info("image %s", line)


if __name__ == "__main__":
    print(
        "\n".join(prune(docker.from_env(), HubSettings.read(SETTINGS_FILE), datetime.now(UTC)))
        or "Nothing to remove."
    )
