"""People who sign in and start servers, without a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests


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


def visit(site: Site, name: str) -> Visit:
    """Sign in, start a server, and wait until it answers through the proxy."""
    session = requests.Session()
    session.verify = False
    session.trust_env = False
    begun = time.perf_counter()
    form = session.get(f"{site.url}/hub/login", timeout=120)
    token = re.search(r'name="_xsrf"\s+value="([^"]+)"', form.text)
    assert token, form.text[:500]
    fields = {"username": name, "password": site.password, "_xsrf": token[1]}
    session.post(f"{site.url}/hub/login?next=/hub/home", data=fields, timeout=120).raise_for_status()
    signed_in = time.perf_counter() - begun
    begun = time.perf_counter()
    _spawn(session, site)
    while True:
        answer = session.get(f"{site.url}/user/{name}/api", timeout=120, allow_redirects=False)
        if answer.status_code == 200 and "version" in answer.text:
            return Visit(signed_in, time.perf_counter() - begun)
        if time.perf_counter() - begun > 300:
            msg = f"{name}'s server does not answer: {answer.status_code}"
            raise AssertionError(msg)
        time.sleep(0.05)


def crowd(site: Site, prefix: str, people: int) -> tuple[list[Visit], float]:
    """So many people at once; what each waited for, and the seconds until the last was served."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(people) as threads:
        visits = list(threads.map(lambda number: visit(site, f"{prefix}{number}"), range(people)))
    return visits, time.perf_counter() - begun


def _spawn(session: requests.Session, site: Site) -> None:
    home = session.get(f"{site.url}/hub/home", timeout=120)
    token = re.search(r'xsrf_token: "([^"]+)"', home.text)
    assert token, home.text[:500]
    while True:
        answer = session.post(
            f"{site.url}/hub/spawn",
            params={"_xsrf": token[1]},
            data={**site.options, "_xsrf": token[1]},
            timeout=120,
            allow_redirects=False,
        )
        if answer.status_code != 429:
            break
        time.sleep(1)
    assert answer.status_code in {200, 302}, (answer.status_code, answer.text[-500:])
