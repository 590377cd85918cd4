"""Somebody at work while the administrator changes something: what of it do they notice?"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import requests
import websocket

from benchmarks.people import Site

EVERY_S = 0.05
"""How often a page is asked for and the web socket is used."""

PATIENCE_S = 5.0
"""How long an answer may take before it counts as none; a hub that is away may be waited for longer."""


@dataclass
class Answers:
    """Whether and when something answered."""

    failed: int = 0
    outage_s: float = 0.0
    """The longest time from a request that failed to one that was answered; 0 when none failed."""
    longest_silence_s: float = 0.0
    """The longest time from one good answer to the next; also counts one that was long in coming."""
    _down_since: float | None = None
    _last: float = field(default_factory=time.perf_counter)

    def note(self, asked: float, *, good: bool) -> None:
        """Take in what became of a request."""
        now = time.perf_counter()
        if not good:
            self.failed += 1
            if self._down_since is None:
                self._down_since = asked
            return
        self.longest_silence_s = max(self.longest_silence_s, now - self._last)
        self._last = now
        if self._down_since is not None:
            self.outage_s = max(self.outage_s, asked - self._down_since)
            self._down_since = None

    def end(self) -> None:
        """Count what has not come back, too."""
        if self._down_since is not None:
            self.outage_s = max(self.outage_s, time.perf_counter() - self._down_since)
        self.longest_silence_s = max(self.longest_silence_s, time.perf_counter() - self._last)


class Watch:
    """A user's server, its web socket and the hub, used all the time while the block runs."""

    def __init__(self, site: Site, user: str) -> None:
        """Watch a server that runs."""
        self._site = site
        self._user = user
        self._over = threading.Event()
        self.server, self.hub, self.socket = Answers(), Answers(), Answers()
        self.sockets_closed = 0
        self._threads = [
            threading.Thread(target=work) for work in (self._ask_server, self._ask_hub, self._echo)
        ]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        time.sleep(1)  # so that all is open before anything is changed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        time.sleep(1)  # so that all has been asked once more after the change
        self._over.set()
        for thread in self._threads:
            thread.join()
        for answers in (self.server, self.hub, self.socket):
            answers.end()

    def _ask_server(self) -> None:
        self._ask(f"/user/{self._user}/api", self.server, PATIENCE_S)

    def _ask_hub(self) -> None:
        self._ask("/hub/health", self.hub, 60)

    def _ask(self, path: str, answers: Answers, patience_s: float) -> None:
        session = requests.Session()
        session.verify = False
        session.trust_env = False

        def once() -> bool:
            url = f"{self._site.url}{path}"
            return session.get(url, timeout=patience_s, allow_redirects=False).status_code == 200

        self._again_and_again(once, answers)

    def _echo(self) -> None:
        url = f"{self._site.url.replace('http', 'ws', 1)}/user/{self._user}/ws"
        unchecked = {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
        connection: websocket.WebSocket | None = None

        def once() -> bool:
            nonlocal connection
            try:
                if connection is None:
                    connection = websocket.create_connection(url, timeout=PATIENCE_S, sslopt=unchecked)
                connection.send("still there?")
                return bool(connection.recv() == "still there?")
            except (OSError, websocket.WebSocketException):
                if connection is not None:
                    self.sockets_closed += 1
                connection = None
                raise

        self._again_and_again(once, self.socket)
        if connection is not None:
            connection.close()

    def _again_and_again(self, once: Callable[[], bool], answers: Answers) -> None:
        while not self._over.is_set():
            asked = time.perf_counter()
            try:
                good = once()
            except (OSError, websocket.WebSocketException):  # requests' own errors are OSErrors
                good = False
            answers.note(asked, good=good)
            self._over.wait(max(0.0, asked + EVERY_S - time.perf_counter()))
