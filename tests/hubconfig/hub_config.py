"""JupyterHub's configuration for the tests: our sign-in, a proxy that is none, servers that are stubs."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from jupyterhub.proxy import Proxy
from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets import Dict
from traitlets.config import Config

from hubconfig import door
from hubconfig.access import enforcement, github
from hubconfig.access.gate import Folders
from hubconfig.access.sign_in import configure_authenticator
from hubconfig.background import begin
from hubconfig.settings import HubSettings
from hubconfig.user_hosts import part_hosts

FOLDER = Path(os.environ["HUB_TEST_FOLDER"])


class NoProxy(Proxy):
    """Keeps the table that JupyterHub asks for; the tests talk to the hub itself."""

    routes = Dict()
    should_start = False

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        self.routes.pop(routespec, None)

    async def get_all_routes(self) -> dict[str, Any]:
        return dict(self.routes)


class Stub(SimpleLocalProcessSpawner):
    """A stub server; a user's name makes it slow to start or unwilling to stop."""

    found_pid = 0

    async def start(self) -> Any:
        if self.user.name.startswith("slow"):
            await asyncio.sleep(3)
        place = await super().start()
        self.found_pid = self.pid
        return place

    async def poll(self) -> int | None:
        # As a container is found by its name, whatever the hub has forgotten.
        self.pid: int = self.pid or self.found_pid
        status: int | None = await super().poll()
        return status

    async def end_now(self) -> None:
        # As a container can be killed without the hub being asked.
        if self.user.name.startswith("caught"):
            os.kill(self.pid, signal.SIGKILL)

    async def stop(self, now: bool = False) -> None:
        marker = FOLDER / "stop-fails"
        if marker.exists():
            left = marker.read_text()[1:]
            if left:
                marker.write_text(left)
            else:
                marker.unlink()
            raise RuntimeError("the engine does not answer")
        await super().stop(now=now)

    @property
    def cmd(self) -> list[str]:
        deaf = ["deaf"] if self.user.name.startswith("deaf") else []
        return [sys.executable, "-S", str(Path(__file__).with_name("stub_server.py")), *deaf]


def configure(c: Config) -> None:
    # A test cannot wait for minutes.
    enforcement.ASK_EVERY_S = 0.5
    github.MEMBERSHIP_AGE_S = 0
    told = json.loads((FOLDER / "told.json").read_text())
    c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{told['port']}"
    c.JupyterHub.bind_url = f"http://127.0.0.1:{told['unused_port']}"
    c.JupyterHub.db_url = f"sqlite:///{FOLDER}/state/hub.sqlite"
    c.JupyterHub.cookie_secret_file = str(FOLDER / "state" / "cookie_secret")
    c.JupyterHub.proxy_class = NoProxy
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.spawner_class = Stub
    c.Stub.home_dir_template = str(FOLDER / "homes" / "{username}")
    c.Stub.interrupt_timeout = 1
    c.Stub.term_timeout = 1
    c.JupyterHub.template_paths = [str(Path(__file__).parents[2] / "hubconfig" / "pages" / "templates")]
    settings = HubSettings.read(FOLDER / "settings.json")
    part_hosts(settings, c)
    additions = configure_authenticator(
        settings,
        c,
        Folders(FOLDER / "access", FOLDER / "state"),
        FOLDER / "secrets",
    ).additions
    test = {"name": "test", "api_token": told["token"], "admin": True}
    c.JupyterHub.services = [test, *additions.services]
    c.JupyterHub.load_roles = list(additions.roles)
    c.JupyterHub.template_vars = dict(additions.template_vars)
    begin(additions.jobs, logging.getLogger("JupyterHub"))
    door.set_up()


configure(get_config())  # type: ignore[name-defined]  # noqa: F821 - JupyterHub gives it to the file
