"""A user's server that a small hub starts, and what its owner does with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.images.building import (
    ENGINE,
    image,
    inside,
    log,
    network,
    remove,
    until,
)
from tests.images.small_hub import TOKEN, small_hub

SERVER = "/opt/jupyter/bin/python3 -s /opt/jupyter/bin/jupyterhub-singleuser"


@dataclass(frozen=True)
class UserServer:
    """A user's server."""

    container: str
    user: str
    home: Path

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page, as its owner gets it."""
        url = f"http://127.0.0.1:8888/user/{self.user}{path}"
        token = f"Authorization: token {TOKEN}"
        said = self.run("curl", "--silent", "--header", token, "--write-out", "\n%{http_code}", url)
        text, _, status = said.rpartition("\n")
        return int(status), text

    def post(self, path: str, content: object) -> str:
        """What the server answers when its owner's page asks it to do something."""
        url = f"http://127.0.0.1:8888/user/{self.user}{path}"
        token = f"Authorization: token {TOKEN}"
        return self.run("curl", "--silent", "--header", token, "--data", json.dumps(content), url)

    def run(self, *words: str) -> str:
        """What a command prints that its owner types."""
        return inside(self.container, *words)

    def shell(self, line: str) -> str:
        """The same for a line in a terminal, which is a login shell."""
        return self.run("bash", "-lc", line)

    def executed(self, kernel: str, code: str) -> str:
        """What code prints in a kernel."""
        talk = (
            "import sys\n"
            "from jupyter_client.manager import start_new_kernel\n"
            "manager, client = start_new_kernel(kernel_name=sys.argv[1])\n"
            "said = []\n"
            "keep = lambda message: said.append(message['content'].get('text') or str(message['content']))\n"
            "hook = lambda message: keep(message) if message['msg_type'] in ('stream', 'error') else None\n"
            "client.execute_interactive(sys.argv[2], timeout=60, output_hook=hook)\n"
            "manager.shutdown_kernel(now=True)\n"
            "print(''.join(said))\n"
        )
        return self.run("python3", "-s", "-c", talk, kernel, code)


def call_hub(hub: str, method: str, path: str, body: object = None) -> str:
    """Use the hub's interface for programs."""
    ask = (
        "import sys, urllib.request\n"
        "url = 'http://127.0.0.1:8081/hub/api' + sys.argv[2]\n"
        "request = urllib.request.Request(url, method=sys.argv[1],\n"
        "    data=sys.argv[3].encode(), headers={'Authorization': 'token ' + sys.argv[4]})\n"
        "print(urllib.request.urlopen(request).read().decode())\n"
    )
    return inside(hub, "python3", "-c", ask, method, path, json.dumps(body) if body else "", TOKEN)


def homes_in(folder: Path) -> Path:
    """A folder for users' homes, through which every user may go."""
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    return folder


@contextmanager
def hub_with(homes: Path, folder: Path) -> Iterator[str]:
    """A hub that starts servers, each with an empty home from outside; its container."""
    mount = f'\nc.DockerSpawner.volumes = {{"{homes}/{{username}}": "/home/user"}}\n'
    with network("images-hub-net") as net, small_hub(folder, net, mount) as container:
        until(lambda: "JupyterHub is now running" in log(container), "the hub runs")
        yield container


@contextmanager
def started(hub: str, homes: Path, user: str, application: str) -> Iterator[UserServer]:
    """A user's server that is ready."""
    server = UserServer(f"images-user-{user}", user, homes / user)
    server.home.mkdir(exist_ok=True)
    # As the hub's own code does it: the home is there, and its owner's.
    own = ["--volume", f"{server.home}:/home", "--entrypoint", "chown", image("hub"), "1000:100", "/home"]
    ENGINE.run("run", "--rm", *own)
    try:
        call_hub(hub, "POST", f"/users/{user}")
        call_hub(hub, "POST", f"/users/{user}/server", {"image": image(application)})
        until(lambda: is_ready(hub, user), f"{user}'s server is ready", within_s=120)
        yield server
    finally:
        call_hub(hub, "DELETE", f"/users/{user}")  # ends the server first
        remove(server.container)


def is_ready(hub: str, user: str) -> bool:
    """Whether the hub says that a user's server answers."""
    servers = json.loads(call_hub(hub, "GET", f"/users/{user}"))["servers"]
    return bool(servers and servers[""]["ready"])
