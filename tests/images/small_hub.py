"""A hub with a configuration of a few lines, to see what its image and servers' images do by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hubconfig.container import environment
from tests.images.building import DROPPED, image, running

TOKEN = "token-of-the-tests-0123456789abcdef"

RIGHTS = tuple(
    word
    for right in ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETPCAP", "SETUID")
    for word in ("--cap-add", right)
)

CONFIGURATION = f"""\
from jupyterhub.proxy import Proxy
from traitlets import Dict

class Table(Proxy):
    should_start = False
    routes = Dict()

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {{"routespec": routespec, "target": target, "data": data}}

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return self.routes

import oauthenticator.github

c.JupyterHub.proxy_class = Table
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"
c.JupyterHub.hub_connect_url = "http://images-hub:8081"
c.JupyterHub.db_url = "sqlite:////srv/state/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "/srv/state/cookie_secret"
c.JupyterHub.spawner_class = "docker"
c.DockerSpawner.network_name = "images-hub-net"
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.remove = True
c.DockerSpawner.allowed_images = "*"
c.DockerSpawner.name_template = "images-user-{{username}}"
c.DockerSpawner.extra_create_kwargs = {{"user": "1000:100"}}
c.DockerSpawner.extra_host_config = {{
    "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"], "init": True, "mem_limit": 1024**3,
}}
c.Spawner.disable_user_config = True
c.Spawner.http_timeout = 120
c.JupyterHub.services = [{{"name": "tests", "api_token": "{TOKEN}"}}]
c.JupyterHub.load_roles = [{{
    "name": "tests", "services": ["tests"],
    "scopes": ["admin:users", "admin:servers", "access:servers", "read:hub"],
}}]
"""


def mounts(folder: Path, homes: str = "") -> list[str]:
    """Options of `docker run` for all that a hub's container needs, kept in a folder."""
    for name in ("state", "access", "homes"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "settings.json").write_text("{}\n")
    (folder / "jupyterhub_config.py").write_text(CONFIGURATION + homes)
    volumes = {
        "state": "/srv/state",
        "access": "/srv/access",
        "homes": "/srv/homes",
        "settings.json": "/srv/cyberhub/settings.json:ro",
        "jupyterhub_config.py": "/srv/cyberhub/hubconfig/jupyterhub_config.py:ro",
    }
    words = [word for name, inside in volumes.items() for word in ("--volume", f"{folder / name}:{inside}")]
    words += [word for name, value in environment().items() for word in ("--env", f"{name}={value}")]
    words += ["--volume", "/var/run/docker.sock:/var/run/docker.sock"]
    return [*words, "--tmpfs", "/run/cyberhub:mode=0700,size=1m", "--tmpfs", "/tmp:mode=1777,size=64m"]


@contextmanager
def small_hub(folder: Path, network: str, homes: str = "") -> Iterator[str]:
    """A hub that runs while the block does.

    :param homes: lines of configuration that say what users' servers mount.
    """
    words = ["--init", "--network", network, *DROPPED, *RIGHTS, *mounts(folder, homes), image("hub")]
    with running("images-hub", *words) as container:
        yield container
