"""Starts users' servers as containers, each with what its owner may have and nothing more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from resource import RLIMIT_NOFILE, getrlimit
from typing import Any, ClassVar, Self

from docker.errors import DockerException
from docker.types import LogConfig, Ulimit
from dockerspawner import DockerSpawner

from hubconfig.homes import Homes
from hubconfig.menu import START_PAGES, Choice, Menu, options_from_form
from hubconfig.not_started import NotStartedError
from hubconfig.settings import FolderSpace, HubSettings

USER = "1000:100"
"""Uid and gid of every server, also in images that would choose another; homes belong to it."""

DOCKER_THREADS = 8
"""Calls to Docker at once. DockerSpawner's own is 1, which starts servers one after another: 214 a minute
on one CPU, against 394 to 461 with 8 (measured)."""

SHM_BYTES = 256 * 1024**2
"""Shared memory, which scientific libraries use between processes; Docker's own is 64 MB. It counts
against the server's memory."""


NOT_STARTED = (
    "Your server could not be started. Your files are safe. Please try again, "
    "or tell your administrator: the reason is in the hub's log."
)


class Server(DockerSpawner):  # type: ignore[misc]
    """One user's server."""

    settings: ClassVar[HubSettings]
    menu: ClassVar[Menu]
    homes: ClassVar[Homes]

    user_options: dict[str, Any]

    _threads: ClassVar[ThreadPoolExecutor | None] = None

    @classmethod
    def of(cls, settings: HubSettings, menu: Menu, homes: Homes) -> type[Self]:
        """The servers of one hub."""
        return type(cls.__name__, (cls,), {"settings": settings, "menu": menu, "homes": homes})

    @property
    def executor(self) -> ThreadPoolExecutor:
        """The threads that talk to Docker, for all servers together."""
        if Server._threads is None:
            Server._threads = ThreadPoolExecutor(DOCKER_THREADS, "docker")
        return Server._threads

    def _options_form_default(self) -> Any:
        return lambda spawner: spawner.menu.form(spawner.user.name, spawner.user_options or {})

    def _options_from_form_default(self) -> Any:
        return options_from_form

    async def start(self) -> Any:
        """Start what the user chose, if it is on the user's menu.

        Raises NotStartedError, which tells the user why not.
        """
        choice = self.menu.choose(self.user.name, self.user_options or {})
        # Only what the menu knows is kept: DockerSpawner would start any image named here.
        self.user_options = choice.as_options()
        home = self.homes.prepare(self.user.name)
        self._take(choice, home)
        self.log.info("starting %s for %s", choice.application.name, self.user.name)
        try:
            return await super().start()
        except (DockerException, OSError) as error:
            self.log.error("starting %s for %s failed: %s", choice.application.name, self.user.name, error)  # noqa: TRY400 - Docker's own words say it all
            raise NotStartedError(500, NOT_STARTED) from error

    async def end_now(self) -> None:
        """Kill and remove the container at once, for somebody who may no longer be in the hub.

        A stop would leave it up to 10 s to end by itself, and one of the threads busy with waiting.
        """
        if await self.get_object():
            await self.docker("remove_container", self.object_id, force=True, v=True)

    def _take(self, choice: Choice, home: str) -> None:
        """Set what the container is made of."""
        entry, limits = choice.application, self.settings.options.limits
        self.image = self.settings.images[entry.name]
        self.default_url = START_PAGES[choice.interface]
        self.notebook_dir = entry.home
        self.mem_limit = (entry.memory_mb or limits.memory_mb) * 1024**2
        self.cpu_limit = entry.cpus or limits.cpus
        self.mounts = [
            {"type": "bind", "source": home, "target": entry.home, "read_only": False},
            *(
                {
                    "type": "bind",
                    "source": self.settings.space_dirs[space.name],
                    "target": space.mount,
                    "read_only": space.read_only,
                    # A remote folder may be mounted after this server has started.
                    **({} if isinstance(space, FolderSpace) else {"propagation": "rslave"}),
                }
                for space in self.settings.options.spaces
            ),
        ]
        # Docker cannot give a container more than it has itself; the hub's own limit shows how much.
        files = min(limits.open_files, getrlimit(RLIMIT_NOFILE)[1])
        self.environment = {"HOME": entry.home, **self._git_credentials()}
        self.extra_create_kwargs = {"user": USER, "labels": self._labels()}
        self.extra_host_config = {
            # Without it, a server may swap as much again as it has memory.
            "memswap_limit": self.mem_limit,
            "pids_limit": limits.pids,
            "ulimits": [Ulimit(name="nofile", soft=files, hard=files)],
            "shm_size": min(SHM_BYTES, self.mem_limit // 2),
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "init": True,
            "log_config": LogConfig(type=LogConfig.types.JSON, config={"max-size": "10m", "max-file": "2"}),
        }

    def _labels(self) -> dict[str, str]:
        return {
            "cyberhubs.stack": self.settings.stack,
            "cyberhubs.hub": self.settings.name,
            "cyberhubs.role": "user",
            "cyberhubs.user": self.user.name,
        }

    def _git_credentials(self) -> dict[str, str]:
        client_id = self.settings.options.git_credentials_client_id
        return {"GH_SCOPED_CREDS_CLIENT_ID": client_id} if client_id else {}
