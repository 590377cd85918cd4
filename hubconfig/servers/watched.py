"""What has become of a server: whether it runs, and what its end was, told once and for the true reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from docker.errors import NotFound

from hubconfig.labels import USER as USER_LABEL
from hubconfig.labels import is_server_of
from hubconfig.servers.endings import why_ended
from hubconfig.servers.not_started import NAME_TAKEN, NotStartedError
from hubconfig.servers.takeover import Renamed
from hubconfig.settings import HubSettings


class Watched(Renamed):
    """A server whose container may be gone, be another's, or have ended."""

    settings: ClassVar[HubSettings]
    ended: ClassVar[dict[str, str]]
    """Why a user's last server ended by itself, in words for the user. JupyterHub makes a new object of this
    class for each start, so it is kept here."""

    _ended_now = False
    _told = ""
    """The container whose end is in the log."""

    async def poll(self) -> Any:
        """None while the server runs, else what it ended with; what is left of it is then removed.

        Docker itself would remove it at once, and with it the reason.
        """
        known = self.object_id
        container = await self.get_object()
        if container and runs(container):
            return None
        if known and known != self._told and not (self._stop_pending or self._ended_now):
            self._told = known
            why = why_ended(container)
            self.log.warning("server of %s ended: %s", self.user.name, why or "its user ended it")
            self.ended[self.user.name] = why
        if not container:
            return 0
        await self.remove_object()
        return f"ExitCode={container['State']['ExitCode']}"

    async def end_now(self) -> None:
        """Kill and remove the container at once, for somebody who may no longer be in the hub.

        A stop would leave it up to 10 s to end by itself, and one of the threads busy with waiting.
        """
        self._ended_now = True  # so that nobody wonders why
        if await self.get_object():
            await self.docker("remove_container", self.object_id, force=True, v=True)

    async def get_object(self) -> Any:
        """The server's container, as Docker describes it; None where there is none.

        Another one of its name is never taken for it, so nobody stops, removes or enters that.
        Raises NotStartedError while a start is under way, as Docker would refuse the name.
        """
        found = await self.inspected()
        if found is None or self._is_own(found):
            return found
        self.object_id = ""
        self.log.error(
            "the container %s has not the labels of %s's server, so it is left alone; "
            "rename or remove it, or %s can have no server",
            *(self.object_name, self.user.name, self.user.name),
        )
        if self._start_pending:
            raise NotStartedError(500, NAME_TAKEN)
        return None

    async def inspected(self) -> Any:
        """The container of the server's name; None where there is none, which nothing is written about.

        DockerSpawner's own warns each time it looks, also after a stop that was asked for.
        """
        try:
            found = await self.docker("inspect_container", self.object_name)
        except NotFound:
            self.object_id = ""
            return None
        self.object_id = found["Id"]
        return found

    def _is_own(self, container: Mapping[str, Any]) -> bool:
        given = container["Config"]["Labels"] or {}
        ours = is_server_of(given, self.settings.stack, self.settings.name)
        return ours and given.get(USER_LABEL) == self.user.name


def runs(container: Mapping[str, Any]) -> bool:
    """Whether a container, as Docker describes it, runs."""
    return bool(container["State"]["Running"])
