"""Waits until a browser would get an answer, so that the address `up` prints works."""

from __future__ import annotations

import json
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import datetime

import pulumi

from infra.engine import Engine, EngineError, UnreachableError

_STARTED = time.monotonic()

_NEW_SECONDS = 120
"""A hub answers 2 s after its container starts; a certificate authority may take a minute."""

_OLD_SECONDS = 5

_LOG_LINES = 25


def answering(
    url: pulumi.Output[str],
    engine: pulumi.Output[Engine],
    containers: Sequence[pulumi.Output[str]],
    proxy: str,
    hubs: Mapping[str, str],
) -> pulumi.Output[str]:
    """The site's address, once every hub answers there.

    :param containers: ids of the containers that must be there first.
    :param proxy: the proxy's container name.
    :param hubs: container name to base path of each hub.
    """

    def wait(known: dict[str, object]) -> str:
        address, there, names = known["url"], known["engine"], known["hubs"]
        assert isinstance(address, str)  # noqa: S101 - tells mypy what the dictionary holds
        assert isinstance(there, Engine)  # noqa: S101
        assert isinstance(names, dict)  # noqa: S101
        if not pulumi.runtime.is_dry_run():
            for name, base_url in names.items():
                _wait(f"{address}{base_url}hub/health", there, proxy, name)
        return address

    return pulumi.Output.all(url=url, engine=engine, hubs=dict(hubs), after=list(containers)).apply(wait)


def _wait(url: str, engine: Engine, proxy: str, hub: str) -> None:
    if _answers(url):
        return
    try:
        _wait_and_look(url, engine, proxy, hub)
    except UnreachableError as error:
        pulumi.log.warn(f"{url} does not answer: {error}")


def _wait_and_look(url: str, engine: Engine, proxy: str, hub: str) -> None:
    # A hub that this run did not start is somebody's to look at, but no reason to fail this run:
    # `pulumi destroy` runs the program too, and must work on a broken hub.
    fresh = age_seconds(engine, hub) <= seconds_of_this_run()
    deadline = time.monotonic() + (_NEW_SECONDS if fresh else _OLD_SECONDS)
    while time.monotonic() < deadline:
        time.sleep(0.2)
        if _answers(url):
            return
    states = {name: state(engine, name) for name in (proxy, hub)}
    for name, (running, log) in states.items():
        if fresh and not running:
            raise pulumi.RunError(f"the container {name} did not start; the last lines of its log:\n{log}")
    running, log = states[hub]
    pulumi.log.warn(
        f"{url} does not answer this computer; the hub's container is {'' if running else 'not '}running.\n"
        f"Look at the machine's firewall and the name's DNS record. The hub's log ends:\n{log}"
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


def seconds_of_this_run() -> float:
    """How old a container may be that this run of the program started."""
    return time.monotonic() - _STARTED + 1


def age_seconds(engine: Engine, container: str) -> float:
    """How long ago a container was made, by the clock of its machine. Raises EngineError."""
    created = engine.run("inspect", "--format", "{{.Created}}", container)
    now = engine.run("info", "--format", "{{.SystemTime}}")
    return (_time(now) - _time(created)).total_seconds()


def _time(text: str) -> datetime:
    # Docker gives nanoseconds and cuts trailing zeros; Python 3.11 reads up to six digits.
    cut = re.sub(r"\.(\d{1,6})\d*", lambda found: f".{found[1].ljust(6, '0')}", text)
    return datetime.fromisoformat(cut)


def state(engine: Engine, container: str) -> tuple[bool, str]:
    """Whether a container runs steadily, and the end of its log; for one that is not there, Docker's words.

    Raises UnreachableError.
    """
    try:
        state = json.loads(engine.run("inspect", "--format", "{{json .State}}", container))
        steady = bool(state["Running"]) and not state["Restarting"]
        return steady, engine.run("logs", "--tail", str(_LOG_LINES), container)
    except UnreachableError:
        raise
    except EngineError as error:
        return False, str(error)
