"""Waits until a browser would get an answer, so that the address `up` prints works."""

from __future__ import annotations

import json
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pulumi

from hubconfig.container import PROXY_HTTP_PORT
from infra.dock import Dock
from infra.engine import Engine, EngineError, MissingError, UnreachableError

_STARTED = time.monotonic()

_NEW_SECONDS = 120
"""A hub answers 2 s after its container starts; a certificate authority may take a minute."""

_OLD_SECONDS = 5

_LOOK_SECONDS = 10
"""How often it is looked whether what is waited for still runs; Docker first starts it anew within 1 s."""

_STEADY_SECONDS = 10
"""A container that Docker had to start anew and that is up for so long counts as running."""

_LOG_LINES = 25

_ON_THE_WAY = "Look at the machine's firewall, the name's DNS record and this computer's way to it. "


def answering(
    url: pulumi.Output[str],
    dock: Dock,
    containers: Sequence[pulumi.Output[str]],
    hubs: Mapping[str, str],
    *,
    behind_another: bool,
) -> pulumi.Output[str]:
    """The site's address, once every hub answers there.

    :param containers: ids of the containers that must be there first.
    :param hubs: container name to base path of each hub.
    :param behind_another: whether another proxy leads there, which this program does not know; then the hubs
        need only answer at our own.
    """

    def wait(engine: Engine, address: str) -> str:
        proxy = dock.names.proxy
        for name, base_url in hubs.items():
            path = f"{base_url}hub/health"
            if behind_another:
                ask = _Asked(f"{proxy}{path}", "", partial(_answers_inside, engine, proxy, path))
            else:
                ask = _Asked(f"{address}{path}", _ON_THE_WAY, partial(_answers, f"{address}{path}"))
            _wait(ask, engine, proxy, name)
        return address

    after = pulumi.Output.all(url, *containers).apply(lambda known: str(known[0]))
    return dock.once(after, wait, lambda address: f"whether {address} answers is not known")


@dataclass(frozen=True)
class _Asked:
    """Where it is asked whether a hub answers."""

    where: str
    on_the_way: str
    """What else than proxy and hub may be in the way."""
    answers: Callable[[], bool]


def _wait(asked: _Asked, engine: Engine, proxy: str, hub: str) -> None:
    if asked.answers():
        return
    # A hub that this run did not start is somebody's to look at, but no reason to fail this run:
    # `pulumi destroy` runs the program too, and must work on a broken hub.
    fresh = {name: is_fresh(engine, name) for name in (proxy, hub)}
    deadline = time.monotonic() + (_NEW_SECONDS if any(fresh.values()) else _OLD_SECONDS)
    look = time.monotonic() + _LOOK_SECONDS
    while time.monotonic() < deadline:
        time.sleep(0.2)
        if asked.answers():
            return
        if time.monotonic() > look:
            # What ends again and again will not answer by and by.
            if not all(state(engine, name)[0] for name in fresh):
                break
            look = time.monotonic() + _LOOK_SECONDS
    for name, made_now in fresh.items():
        running, log = state(engine, name)
        if not running:
            said = f"the container {name} does not stay up; the last lines of its log:\n{log}"
            if made_now:
                raise pulumi.RunError(said)
            pulumi.log.warn(f"{asked.where} does not answer: {said}")
            return
    pulumi.log.warn(
        f"{asked.where} does not answer, although the containers of proxy and hub are running.\n"
        f"{asked.on_the_way}The proxy's log ends:\n{state(engine, proxy)[1]}\n"
        f"The hub's log ends:\n{state(engine, hub)[1]}"
    )


def _answers(url: str) -> bool:
    # Whether anything answers is asked here, not who: the certificate may be our own authority's,
    # and nothing is sent.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, timeout=5, context=context) as answer:  # noqa: S310 - http(s) by construction
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


_ASK = """\
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET %s HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' "$2" >&3
read -r -t 5 _ status _ <&3
[ "$status" = 200 ]
"""
"""Asks the proxy from within its container, in which there is no program for it."""


def _answers_inside(engine: Engine, proxy: str, path: str) -> bool:
    """Whether a path gets an answer of the proxy's own port, which this computer may not reach.

    Raises UnreachableError.
    """
    try:
        engine.run("exec", proxy, "bash", "-c", _ASK, "bash", str(PROXY_HTTP_PORT), path)
    except UnreachableError:
        raise
    except EngineError:
        return False
    return True


def is_fresh(engine: Engine, container: str) -> bool:
    """Whether this run of the program made a container; not one that is gone.

    By the clock of its machine. Raises UnreachableError.
    """
    try:
        created = engine.run("inspect", "--format", "{{.Created}}", container)
    except MissingError:
        return False
    now = engine.run("info", "--format", "{{.SystemTime}}")
    return (_time(now) - _time(created)).total_seconds() <= time.monotonic() - _STARTED + 1


def _time(text: str) -> datetime:
    # Docker gives nanoseconds and cuts trailing zeros; Python 3.11 reads up to six digits.
    cut = re.sub(r"\.(\d{1,6})\d*", lambda found: f".{found[1].ljust(6, '0')}", text)
    return datetime.fromisoformat(cut)


def state(engine: Engine, container: str) -> tuple[bool, str]:
    """Whether a container runs steadily, and the end of its log; for one that is not there, Docker's words.

    Raises UnreachableError.
    """
    try:
        known = json.loads(engine.run("inspect", "--format", "{{json .}}", container))
        now = known["State"]
        steady = bool(now["Running"]) and not now["Restarting"]
        if steady and known.get("RestartCount"):
            up = _time(engine.run("info", "--format", "{{.SystemTime}}")) - _time(now["StartedAt"])
            steady = up.total_seconds() > _STEADY_SECONDS
        return steady, engine.run("logs", "--tail", str(_LOG_LINES), container)
    except UnreachableError:
        raise
    except EngineError as error:
        return False, str(error)
