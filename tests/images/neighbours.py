"""Containers that listen on every address, and what one of them reaches of another."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager

from tests.images.building import DROPPED, ENGINE, image, running

_LISTEN = """\
import sys, selectors, socket
waiting = selectors.DefaultSelector()
for port in map(int, sys.argv[1:]):
    waiting.register(socket.create_server(("", port), backlog=64), selectors.EVENT_READ)
print("listening", flush=True)
while True:
    for key, _ in waiting.select():
        connection, _ = key.fileobj.accept()
        connection.close()
"""

_ASK = """\
import sys, json, socket
from concurrent.futures import ThreadPoolExecutor

def reached(where):
    try:
        socket.create_connection(where, 2).close()
    except OSError:
        return False
    return True

places = [tuple(place) for place in json.loads(sys.argv[1])]
with ThreadPoolExecutor(32) as threads:
    print(json.dumps(list(threads.map(reached, places))))
"""

Place = tuple[str, int]


def listening(name: str, network: str, address: str, *ports: int) -> AbstractContextManager[str]:
    """A container without any right, as a user's server is, that takes connections on some ports."""
    words = ["--init", "--network", network, "--ip", address, *DROPPED, "--user", "1000:100"]
    words += ["--entrypoint", "python3", image("hub"), "-c", _LISTEN, *map(str, ports)]
    return running(name, *words)


def reached(container: str, places: Iterable[Place]) -> dict[Place, bool]:
    """Which of these a container gets a connection to, each within 2 s."""
    asked = list(places)
    answers = json.loads(ENGINE.run("exec", container, "python3", "-c", _ASK, json.dumps(asked)))
    return dict(zip(asked, answers, strict=True))
