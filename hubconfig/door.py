"""The hub's door: how many connections it takes, so that whoever opens many does not stop its own work.

Without a free descriptor a hub reads no list, reaches no Docker, and so puts nobody out. So it takes no
connection into the last ones. That one address has few is the fence's doing; this is for many addresses, and
for a kernel on which the fence cannot count.
"""

from __future__ import annotations

import errno
import logging
import os
import resource
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

RESERVE: Final = 256
"""Descriptors that no connection gets: eight threads talk to Docker, the database has three files, and a
server that starts is asked by a few connections."""

LARGEST_BODY: Final = 1 << 20
"""Bytes of a request's body, which tornado keeps in memory. The proxy takes no larger ones for hubs; users'
servers reach the hub without it."""

BODY_S: Final = 60
"""Seconds that a body may take."""

IDLE_S: Final = 180
"""Seconds after which a connection without a request is closed; longer than the proxy keeps one (120)."""

_AT_ONCE = 128
_LOOK_S = 0.2
_SAY_S = 60.0

_FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Door(HTTPServer):
    """A server that keeps a reserve of descriptors."""

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Take connections from these."""
        for listening in sockets:
            self._sockets[listening.fileno()] = listening
            self._handlers[listening.fileno()] = Doorway(listening, self._handle_connection).close


def set_up() -> None:
    """Have the hub's server be one; tornado's own way to say so, as JupyterHub has none."""
    HTTPServer.configure(
        Door, max_body_size=LARGEST_BODY, body_timeout=BODY_S, idle_connection_timeout=IDLE_S
    )


class Doorway:
    """One listening socket."""

    def __init__(self, listening: socket.socket, take: Callable[[socket.socket, Any], None]) -> None:
        """Take connections in the event loop that runs."""
        self._listening = listening
        self._take = take
        self._loop = IOLoop.current()
        self._open = False
        self._closed = False
        self._said_at = -_SAY_S
        self._resume()

    def close(self) -> None:
        """Take no more."""
        self._closed = True
        self._pause()

    def _resume(self) -> None:
        self._open = True
        self._loop.add_handler(self._listening, self._on_connection, IOLoop.READ)

    def _pause(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_handler(self._listening)

    def _on_connection(self, _listening: Any, _events: int) -> None:
        for _ in range(_AT_ONCE):
            if not self._open:
                return
            try:
                connection, address = self._listening.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                self._wait()
                return
            # Linux gives the lowest number that is free.
            full = connection.fileno() >= _most()
            self._take(connection, address)
            if full:
                self._wait()

    def _wait(self) -> None:
        """Leave whoever comes in the kernel's queue until there is room."""
        self._pause()
        if time.monotonic() - self._said_at >= _SAY_S:
            self._said_at = time.monotonic()
            logging.getLogger("JupyterHub").warning(
                "door: %d connections or files are open; new ones wait until some are closed", _most()
            )
        self._loop.call_later(_LOOK_S, self._look)

    def _look(self) -> None:
        if self._closed:
            return
        if _has_room():
            self._resume()
        else:
            self._loop.call_later(_LOOK_S, self._look)


def _most() -> int:
    """The descriptors that connections may have."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(limit - RESERVE, limit // 2)


def _has_room() -> bool:
    try:
        lowest = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    os.close(lowest)
    return lowest < _most()
