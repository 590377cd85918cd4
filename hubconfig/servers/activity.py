"""What counts as somebody working in a Jupyter server: what a page asks again and again does not.

JupyterLab asks for its kernels, terminals, sessions and the folder that is shown every ten seconds, and saves
where its panels are, for as long as its page is open (seen: 30 requests a minute, all of them activity to
the server). So a tab that somebody has forgotten kept its server for ever.

This file is put into each user's server, whose own Python reads it as a part of Jupyter's configuration; it
uses nothing but the standard library and Jupyter itself.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

PLACE = "/srv/jupyter"
"""The folder in a user's server with this file as configuration."""

WITHIN_S = 600.0
"""What was asked within this time and is asked again is a poll. JupyterLab's polls slow down to one in five
minutes; a browser's hidden tabs come to one a minute."""

MOST = 1000
"""Requests that are remembered."""

_LOOKED_AT = 65_536
"""Bytes of a body that are compared; a notebook that differs beyond them has most likely another length."""


class Repeats:
    """Tells what is asked for the first time from what is asked again."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet."""
        self._now_s = now_s
        self._asked: OrderedDict[bytes, float] = OrderedDict()

    def is_new(self, method: str, path: str, arguments: Mapping[str, Iterable[bytes]], body: bytes) -> bool:
        """Whether a request was not made lately; from now on it was."""
        seen = hashlib.blake2b(f"{method} {path} {len(body)}".encode(), digest_size=16)
        for name in sorted(arguments):
            if not name.isdigit():  # the time, by which pages get round their browser's memory
                seen.update(repr((name, list(arguments[name]))).encode())
        seen.update(body[:_LOOKED_AT])
        key, now = seen.digest(), self._now_s()
        before = self._asked.pop(key, None)
        self._asked[key] = now
        if len(self._asked) > MOST:
            self._asked.popitem(last=False)
        return before is None or now - before > WITHIN_S


def install() -> None:
    """Have the Jupyter server of this process count in this way."""
    from jupyter_server.base.handlers import APIHandler  # type: ignore[import-not-found]  # noqa: PLC0415 - only a user's server has it

    counts: Callable[[Any], None] = APIHandler.update_api_activity
    repeats = Repeats()

    def update_api_activity(handler: Any) -> None:
        request = handler.request
        if repeats.is_new(request.method, request.path, request.query_arguments, request.body or b""):
            counts(handler)

    APIHandler.update_api_activity = update_api_activity


@cache
def as_configuration() -> Mapping[str, bytes]:
    """The path of a file in a user's server, to its content."""
    text = Path(__file__).read_text()
    return {f"{PLACE}/jupyter_server_config.py": f"{text}\n\ninstall()\n".encode()}


def environment(image: Iterable[str]) -> dict[str, str]:
    """The variable by which a user's server finds the file, before what its image says.

    :param image: the image's variables, as `NAME=VALUE`.
    """
    theirs = dict(each.partition("=")[::2] for each in image).get("JUPYTER_CONFIG_PATH", "")
    return {"JUPYTER_CONFIG_PATH": f"{PLACE}:{theirs}".rstrip(":")}
