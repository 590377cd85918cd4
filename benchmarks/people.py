"""People who sign in and start servers, without a browser."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

TRIES = 5
"""How often somebody clicks whose server does not start."""


@dataclass(frozen=True)
class Site:
    """A hub under test."""

    url: str
    password: str
    options: Mapping[str, str]
    """The fields of the spawn form."""


@dataclass(frozen=True)
class Visit:
    """What one person waited for, in seconds."""

    signed_in: float
    ready: float
    failed_starts: int


class RefusedError(Exception):
    """The hub does not let somebody in."""


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, site: Site, name: str) -> None:
        """Have no session yet."""
        self.name = name
        self._site = site
        self._session = requests.Session()
        self._session.verify = False
        self._session.trust_env = False

    def sign_in(self) -> None:
        """Fill in the form and come to the home page. Raises RefusedError when the hub leads elsewhere."""
        form = self._get("/hub/login")
        form.raise_for_status()
        token = re.search(r'name="_xsrf"\s+value="([^"]+)"', form.text)
        assert token, form.text[:500]
        fields = {"username": self.name, "password": self._site.password, "_xsrf": token[1]}
        page = self._send("POST", "/hub/login?next=/hub/home", data=fields)
        if page.status_code != 200 or not page.url.endswith("/hub/home"):
            raise RefusedError(f"{self.name} may not sign in: {page.status_code} at {page.url}")

    def is_in(self) -> bool:
        """Whether the session still opens the home page."""
        return self._get("/hub/home", allow_redirects=False).status_code == 200

    def start(self) -> int:
        """Start a server and follow its progress, as the page that waits for it does.

        :returns: how often the hub said that it failed, before it worked.
        """
        failed = 0
        while not self._started(self._spawn()):
            failed += 1
            assert failed < TRIES, f"{self.name}'s server failed {TRIES} times"
        begun = time.perf_counter()
        while not self.has_server():
            assert time.perf_counter() - begun < 60, f"{self.name}'s server does not answer"
            time.sleep(0.02)
        return failed

    def has_server(self) -> bool:
        """Whether the server answers through the proxy."""
        answer = self._get(f"/user/{self.name}/api", allow_redirects=False)
        return answer.status_code == 200 and "version" in answer.text

    def _started(self, token: str) -> bool:
        """Whether the start that is on its way works."""
        path = f"/hub/api/users/{self.name}/server/progress"
        with self._get(path, params={"_xsrf": token}, stream=True) as events:
            for line in events.iter_lines() if events.status_code == 200 else []:
                event = json.loads(line.removeprefix(b"data:")) if line.startswith(b"data:") else {}
                if event.get("ready") or event.get("failed"):
                    return bool(event.get("ready"))
        return False

    def _spawn(self) -> str:
        token = re.search(r'xsrf_token: "([^"]+)"', self._get("/hub/home").text)
        assert token, f"{self.name} is not signed in"
        fields = {**self._site.options, "_xsrf": token[1]}
        while True:
            answer = self._send(
                "POST", "/hub/spawn", params={"_xsrf": token[1]}, data=fields, allow_redirects=False
            )
            if answer.status_code != 429:  # too many at once: JupyterHub asks to come again
                break
            time.sleep(1)
        return token[1]

    def _get(self, path: str, **more: Any) -> requests.Response:
        return self._send("GET", path, **more)

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        return self._session.request(method, f"{self._site.url}{path}", timeout=300, **more)


def visit(site: Site, name: str) -> Visit:
    """Sign in, start a server, and wait until it answers through the proxy."""
    person = Person(site, name)
    begun = time.perf_counter()
    person.sign_in()
    signed_in = time.perf_counter()
    failed = person.start()
    return Visit(signed_in - begun, time.perf_counter() - signed_in, failed)


def back_to_work(site: Site, name: str) -> None:
    """Sign in, and start the server anew if it has gone."""
    person = Person(site, name)
    person.sign_in()
    if not person.has_server():
        person.start()


def crowd(site: Site, prefix: str, people: int, at_once: int | None = None) -> tuple[list[Visit], float]:
    """So many people, all or some at once; what each waited for, and the seconds until all were served."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(at_once or people) as threads:
        visits = list(threads.map(lambda number: visit(site, f"{prefix}{number}"), range(people)))
    return visits, time.perf_counter() - begun


def sign_ins(site: Site, prefix: str, people: int, at_once: int) -> list[float]:
    """So many people who only sign in, some at once; the seconds that each took."""

    def one(number: int) -> float:
        begun = time.perf_counter()
        Person(site, f"{prefix}{number}").sign_in()
        return time.perf_counter() - begun

    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(one, range(people)))
