"""A person who signs in and starts a server, without a browser."""

from __future__ import annotations

import re
import time
from pathlib import Path

import requests

PATIENCE_S = 120
"""A server of a full application hub starts in 4 to 8 s; two busy cores take longer."""


class Visitor:
    """Somebody with cookies of their own."""

    def __init__(self, url: str, authority: Path) -> None:
        """Nobody yet.

        :param authority: the certificate that is trusted.
        """
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(authority)

    def sign_in(self, name: str, password: str) -> None:
        """Fill in the hub's own form."""
        form = self.session.get(f"{self.url}/hub/login", timeout=60)
        fields = {
            "username": name,
            "password": password,
            "_xsrf": found(r'name="_xsrf"\s+value="([^"]+)"', form),
        }
        self.session.post(f"{self.url}/hub/login?next=/hub/home", data=fields, timeout=60).raise_for_status()
        assert self.is_in(), "not signed in"

    def is_in(self, url: str | None = None) -> bool:
        """Whether the hub (or another one, asked with the same cookies) knows who this is."""
        page = self.session.get(f"{url or self.url}/hub/home", timeout=60, allow_redirects=False)
        return page.status_code == 200

    def start(self, name: str, application: str) -> None:
        """Start one's server, and wait until it answers."""
        home = self.session.get(f"{self.url}/hub/home", timeout=60)
        token = found(r'xsrf_token: "([^"]+)"', home)
        choice = {"application": application, "interface": "lab", "_xsrf": token}
        answer = self.session.post(
            f"{self.url}/hub/spawn", params={"_xsrf": token}, data=choice, timeout=60, allow_redirects=False
        )
        assert answer.status_code in {200, 302}, (answer.status_code, said(answer))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self.session.get(f"{self.url}/user/{name}/api", timeout=60, allow_redirects=False)
            if answer.status_code == 200 and "version" in answer.text:
                return
            assert time.monotonic() < deadline, f"{name}'s server does not answer: {answer.status_code}"
            time.sleep(0.2)


def said(page: requests.Response) -> str:
    """The words of a page."""
    body = re.sub(r"<(script|style).*?</\1>", "", page.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def found(pattern: str, page: requests.Response) -> str:
    """The part of a page that a pattern's group means."""
    match = re.search(pattern, page.text)
    assert match, (page.status_code, said(page))
    return match[1]
