"""Starts users' servers as containers, each with what its owner may have and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from resource import RLIMIT_NOFILE, getrlimit
from typing import Any, ClassVar, Self

from docker.errors import DockerException
from docker.types import LogConfig, Ulimit

from hubconfig import user_hosts
from hubconfig.homes.homes import Homes
from hubconfig.labels import labels
from hubconfig.servers import activity, culling, launch
from hubconfig.servers import spaces as shared_folders
from hubconfig.servers.account import FILE as ACCOUNTS
from hubconfig.servers.account import accounts, with_account
from hubconfig.servers.furnishing import furnish
from hubconfig.servers.menu import MAKE_ROOM, Choice, Menu, options_from_form
from hubconfig.servers.not_started import NOT_STARTED, NotStartedError
from hubconfig.servers.path import safe_path
from hubconfig.servers.put_in import packed
from hubconfig.servers.watched import Watched, runs
from hubconfig.settings import HubSettings
from hubconfig.space_options import FolderSpace

DOCKER_THREADS = 8
"""Calls to Docker at once. DockerSpawner's own is 1, which starts servers one after another: 214 a minute
on one CPU, against 394 to 461 with 8 (measured)."""

SHM_BYTES = 256 * 1024**2
"""Shared memory, which scientific libraries use between processes; Docker's own is 64 MB. It counts
against the server's memory."""

START_S = 300
"""Seconds until a server answers, with what Docker does before."""

TIDYING = {"JUPYTER_CONFIG_DIR": "/tmp/jupyter-config"}  # noqa: S108 - the container's own
"""For a server that is started to make room: it may have to make this folder, and ends where it cannot."""

NO_TRASH = "--FileContentsManager.delete_to_trash=False"
"""What somebody deletes is gone. In a trash folder in the home it would take as much space as before, where
nobody sees it; and in a full home not even that can be made, so nothing could be deleted."""

LAST_WORDS = 20
"""Lines of the log of a server that did not start, for the administrator."""

NO_ANSWER = (
    f"Your server did not answer within {launch.ANSWER_S // 60} minutes. Your files are safe. Either the "
    "machine is very busy, or this application hub is broken. Please try again later, or tell your "
    "administrator."
)


class Server(Watched):
    """One user's server."""

    menu: ClassVar[Menu]
    homes: ClassVar[Homes]

    accounts: ClassVar[dict[str, str | None]]
    """Image to its accounts, where none is a server's."""

    user_options: dict[str, Any]

    _threads: ClassVar[ThreadPoolExecutor | None] = None

    @classmethod
    def of(cls, settings: HubSettings, menu: Menu, homes: Homes) -> type[Self]:
        """The servers of one hub."""
        own = {"settings": settings, "menu": menu, "homes": homes, "ended": {}, "accounts": {}}
        return type(cls.__name__, (cls,), {**own, "__module__": cls.__module__})

    @property
    def executor(self) -> ThreadPoolExecutor:
        """The threads that talk to Docker, for all servers together."""
        if Server._threads is None:
            Server._threads = ThreadPoolExecutor(DOCKER_THREADS, "docker")
        return Server._threads

    def _options_form_default(self) -> Any:
        return lambda spawner: spawner.menu.form(
            spawner.user.name, spawner.user_options or {}, spawner.homes.usage(spawner.user.name)
        )

    def _options_from_form_default(self) -> Any:
        return options_from_form

    def _apply_user_options_default(self) -> Any:
        # start() does it; with nothing here, JupyterHub warns at each start that nobody does.
        return lambda *_: None

    async def start(self) -> Any:
        """Start what the user chose, if it is on the user's menu.

        Raises NotStartedError, which tells the user why not.
        """
        self.ended.pop(self.user.name, None)
        asked = self.user_options or {}
        choice = self.menu.choose(self.user.name, asked)
        # Only what the menu knows is kept: DockerSpawner would start any image named here.
        self.user_options = choice.as_options()
        home = self.homes.prepare(self.user.name)
        await self.homes.limited(self.user.name)
        to_make_room = bool(asked.get(MAKE_ROOM))
        self._check_room(to_make_room=to_make_room)
        self._take(choice, home, TIDYING if to_make_room else {})
        self._make_ways(choice.application.home)
        if not to_make_room:
            await furnish(self, choice.application)
        self.log.info("starting %s for %s", choice.application.name, self.user.name)
        try:
            place = await super().start()
            await self._answers(*place)
        except (DockerException, OSError) as error:
            self.log.error("starting %s for %s failed: %s", choice.application.name, self.user.name, error)  # noqa: TRY400 - Docker's own words say it all
            raise NotStartedError(500, NOT_STARTED) from error
        return place

    async def _answers(self, address: str | None, port: int) -> None:
        """Wait until the server takes connections.

        JupyterHub asks ever more seldom, and goes on asking when the container has long ended.
        Raises NotStartedError when it ends, or takes too long.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + launch.ANSWER_S
        look_at = loop.time() + 1
        while not (address and await _listens(address, port)):
            if loop.time() > deadline:
                await self._log_last_words(f"does not answer after {launch.ANSWER_S} s")
                raise NotStartedError(500, NO_ANSWER)
            if not address or loop.time() > look_at:
                look_at = loop.time() + 2
                container = await self.get_object()
                if not container or not runs(container):
                    await self._log_last_words("ended as soon as it was started")
                    raise NotStartedError(500, NOT_STARTED)
            await asyncio.sleep(0.1)

    async def _log_last_words(self, what: str) -> None:
        words = await self.docker("logs", self.object_id, tail=LAST_WORDS) if self.object_id else b""
        text = words.decode(errors="replace").strip() or "nothing"
        self.log.error("server of %s %s; the last it said:\n%s", self.user.name, what, text)

    def _check_room(self, *, to_make_room: bool) -> None:
        """Raise NotStartedError, with the numbers, when the user's home is full.

        A server is the only way to remove something, so whoever says that they want to do that gets one.
        """
        room = self.homes.usage(self.user.name)
        if room is not None and room.full and not to_make_room:
            raise NotStartedError(
                507,
                f"Your files take {room}, so no new ones fit. Your files are safe. Tick “I start my server "
                "to remove some” on the start page, then delete what you no longer need; or ask your "
                "administrator for more space.",
            )

    def _take(self, choice: Choice, home: str, environment: Mapping[str, str]) -> None:
        """Set what the container is made of."""
        entry, limits = choice.application, self.settings.options.limits
        self.image = self.settings.images[entry.name]
        self.cmd = [*launch.PROGRAM]
        self.default_url = choice.interface.path
        self.notebook_dir = entry.home
        self.mem_limit = (entry.memory_mb or limits.memory_mb) * 1024**2
        self.cpu_limit = entry.cpus or limits.cpus
        self.mounts = [
            {"type": "bind", "source": home, "target": entry.home, "read_only": False},
            *(
                shared_folders.mount(space, self.settings.space_dirs[space.name])
                for space in self.settings.options.spaces
            ),
        ]
        # Docker cannot give more than it has itself, which the hub's own limit shows.
        files = min(limits.open_files, getrlimit(RLIMIT_NOFILE)[1])
        self.environment = {
            **launch.environment(self.user.name, entry.home),
            **environment,
            **culling.environment(self.settings.options.culling),
            **self._git_credentials(),
        }
        hosts = user_hosts.arguments(self.settings)
        self.args = [*culling.arguments(self.settings.options.culling), *hosts, NO_TRASH]
        self.extra_create_kwargs = {"user": launch.USER, "labels": self._labels()}
        self.extra_host_config = {
            # Without it, a server may swap as much again as it has memory.
            "memswap_limit": self.mem_limit,
            "pids_limit": limits.pids,
            # Where the machine is short of memory, these go before hub and proxy; nobody in one can lower it.
            "oom_score_adj": 500,
            "ulimits": [Ulimit(name="nofile", soft=files, hard=files)],
            "shm_size": min(SHM_BYTES, self.mem_limit // 2),
            **launch.RIGHTS,
            # The hub removes it, after it has seen why it ended.
            "auto_remove": False,
            "log_config": LogConfig(type=LogConfig.types.JSON, config={"max-size": "10m", "max-file": "2"}),
        }

    def _make_ways(self, home: str) -> None:
        own = self.homes.here / self.user.name
        for path in shared_folders.make_ways(own, home, self.settings.options.spaces):
            self.log.warning(
                "home of %s: something else is at %s, so the shared folder is not there", self.user.name, path
            )
            self.mounts = [mount for mount in self.mounts if mount["target"] != path]

    async def create_object(self) -> Any:
        """Make the container, with an account for its user, links to shared folders, and what is activity."""
        image = await self.docker("inspect_image", self.image)
        writable = [mount["target"] for mount in self.mounts]
        given = image["Config"]["Env"] or ()
        own = self.environment
        self.environment = {**own, **safe_path(given, writable), **activity.environment(given)}
        made = await super().create_object()
        spaces = self.settings.options.spaces
        remote = [space for space in spaces if not isinstance(space, FolderSpace)]
        links = {
            **shared_folders.links(remote, outside=self.notebook_dir),
            **shared_folders.shared_links(spaces),
        }
        files = {**activity.as_configuration(), **await self._account(image["Id"], made["Id"])}
        await self.docker("put_archive", made["Id"], "/", packed(links, files))
        return made

    async def _account(self, image_id: str, container_id: str) -> Mapping[str, bytes]:
        """The file with an account for the user, where the image has none of that uid."""
        known = self.accounts
        if image_id not in known:
            loop = asyncio.get_running_loop()
            known[image_id] = await loop.run_in_executor(self.executor, accounts, self.client, container_id)
        there = known[image_id]
        return {} if there is None else {ACCOUNTS: with_account(there, self.user.name, self.notebook_dir)}

    def _labels(self) -> dict[str, str]:
        return labels(self.settings.stack, "user", hub=self.settings.name, user=self.user.name)

    def _git_credentials(self) -> dict[str, str]:
        client_id = self.settings.options.git_credentials_client_id
        return {"GH_SCOPED_CREDS_CLIENT_ID": client_id} if client_id else {}


async def _listens(address: str, port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), timeout=1)
    except OSError:  # a timeout is one, too
        return False
    writer.close()
    return True
