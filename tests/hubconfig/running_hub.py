"""A real JupyterHub process with our sign-in, and people who use it."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from hubconfig.options import HubOptions
from hubconfig.settings import HubSettings
from tests.hubconfig.provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.support.ports import free_ports

ROOT = Path(__file__).parents[2]


class RunningHub:
    """The hub's address, its folders, and its log."""

    def __init__(self, folder: Path, options: HubOptions, provider: Provider | None = None) -> None:
        self.folder = folder
        self.access = folder / "access"
        self.provider = provider
        self.token = secrets.token_hex(16)
        self.pids: set[int] = set()
        """Of every server that a test has asked about."""
        self.port, unused_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        for name in ("access", "state", "secrets", "homes"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, value in {
            "oauth_client_id": CLIENT_ID,
            "oauth_client_secret": CLIENT_SECRET,
            "shared_password": "the-shared-password",
            "admin_password": "the-password-that-only-admins-have-been-told",
        }.items():
            (folder / "secrets" / name).write_text(f"{value}\n")
        (folder / "told.json").write_text(
            json.dumps({"port": self.port, "unused_port": unused_port, "token": self.token})
        )
        self.configure(options)
        self.process: subprocess.Popen[bytes] | None = None

    def configure(self, options: HubOptions, user_domain: str | None = None) -> None:
        """Write the settings; the hub reads them at its next start."""
        settings = HubSettings(
            name="hub", stack="test", options=options, public_url=self.url, base_url="/", hub_host="hub",
            network="test", user_prefix="test-user-", homes_dir=str(self.folder / "homes"), space_dirs={},
            images={}, servers_max=10, images_kept=[], images_prefix="test/", machine_is_ours=False,
            user_domain=user_domain,
        )  # fmt: skip
        (self.folder / "settings.json").write_text(settings.to_json())

    def start(self) -> None:
        """Start the process and wait until the hub answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(Path(__file__).with_name("hub_config.py"))],
                cwd=self.folder,
                env={**os.environ, "HUB_TEST_FOLDER": str(self.folder), "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self._answers, 30, f"the hub does not answer:\n{self.log[-4000:]}")

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.log[-6000:]
        try:
            return requests.get(f"{self.url}/hub/health", timeout=2).ok
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        """End the hub; servers of users go on."""
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    @property
    def log(self) -> str:
        """All that the hub has said."""
        return (self.folder / "log").read_text(errors="replace")

    def put(self, name: str, text: str) -> None:
        """Put a list in place at once, as a careful editor does."""
        beside = self.access / f"{name}.tmp"
        beside.write_text(text)
        beside.replace(self.access / name)

    def api(self, method: str, path: str, **more: Any) -> requests.Response:
        """Ask the hub as its administrator's program."""
        return requests.request(
            method,
            f"{self.url}/hub/api{path}",
            headers={"Authorization": f"token {self.token}"},
            timeout=30,
            **more,
        )

    def servers(self) -> set[str]:
        """Users with a server, running or on its way."""
        return {user["name"] for user in self.api("GET", "/users").json() if user["servers"]}

    def ready(self, user: str) -> bool:
        """Whether a user's server answers."""
        server = self.api("GET", f"/users/{user}").json()["servers"].get("", {})
        return bool(server.get("ready"))

    def pid(self, user: str) -> int:
        """The process of a user's server."""
        pid = int(self.api("GET", f"/users/{user}").json()["servers"][""]["state"]["pid"])
        self.pids.add(pid)
        return pid

    def browser(self) -> Browser:
        """Somebody who has not signed in yet."""
        return Browser(self)


class Browser:
    """A browser's session with the hub."""

    def __init__(self, hub: RunningHub) -> None:
        self.hub = hub
        self.session = requests.Session()

    def get(self, path: str, **more: Any) -> requests.Response:
        """A page of the hub."""
        return self.session.get(f"{self.hub.url}{path}", timeout=30, **more)

    def sign_in(self, login: str, back: Mapping[str, str] | None = None) -> requests.Response:
        """Go through the provider's pages as this account; the last page.

        :param back: what the browser brings back from the provider, instead of its code.
        """
        assert self.hub.provider
        away = self.get("/hub/oauth_login?next=/hub/home", allow_redirects=False).headers["Location"]
        if back is not None:
            return self.get("/hub/oauth_callback", params=dict(back))
        home = requests.get(f"{away}&login={login}", allow_redirects=False, timeout=10).headers["Location"]
        return self.session.get(home, timeout=30)

    def sign_in_with_password(self, name: str, password: str) -> requests.Response:
        """Fill in the form; the last page."""
        form = self.get("/hub/login").text
        found = re.search(r'name="_xsrf"\s+value="([^"]+)"', form)
        assert found, form
        return self.session.post(
            f"{self.hub.url}/hub/login?next=/hub/home",
            data={"username": name, "password": password, "_xsrf": found[1]},
            timeout=30,
        )

    def is_in(self) -> bool:
        """Whether the hub's own page is shown, and not the one to sign in."""
        found = self.get("/hub/home", allow_redirects=False)
        return found.status_code == 200

    def api(self, method: str, path: str, **more: Any) -> requests.Response:
        """What the hub's pages ask for in the user's name."""
        xsrf = self.session.cookies.get("_xsrf", path="/hub/")
        headers = {"X-XSRFToken": xsrf or "", "Referer": f"{self.hub.url}/hub/home"}
        url = f"{self.hub.url}/hub/api{path}"
        return self.session.request(method, url, headers=headers, timeout=30, **more)


def eventually(true: Callable[[], bool], within_s: float, message: str = "") -> float:
    """Wait until something is true; the seconds that took."""
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > within_s:
            raise AssertionError(message or f"not within {within_s} s")
        time.sleep(0.05)
    return time.monotonic() - begun


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    return not alive(pid)


@contextmanager
def running_hub(folder: Path, options: HubOptions, provider: Provider | None = None) -> Iterator[RunningHub]:
    """A hub while the block runs; its servers end with it."""
    hub = RunningHub(folder, options, provider)
    try:
        hub.start()
        yield hub
    finally:
        hub.stop()
        for pid in hub.pids:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
