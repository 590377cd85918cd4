"""A sign-in provider on loopback: enough of GitHub, GitLab and OpenID Connect for the real authenticators."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT_ID = "the-hub"
CLIENT_SECRET = "a-secret-that-no-log-may-hold"


@dataclass
class Account:
    """Somebody at the provider, as its API shows them."""

    login: str
    id: int
    orgs: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    """`org/team`."""
    claims: dict[str, object] = field(default_factory=dict)


class Provider(ThreadingHTTPServer):
    """The server, and how a test changes what it says."""

    daemon_threads = True

    def __init__(self, address: str = "127.0.0.1", listen_on: str = "127.0.0.1") -> None:
        super().__init__((listen_on, 0), _Handler)
        self.url = f"http://{address}:{self.server_address[1]}"
        self.accounts: dict[str, Account] = {}
        self.codes: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.scopes_asked: list[str] = []
        self.fault: tuple[int, Mapping[str, object]] | None = None
        """An answer that stands in for every one of the API and the token's."""
        self.headers: dict[str, str] = {}
        self.page_size = 100

    def account(self, login: str, number: int, **more: object) -> Account:
        """Make an account, or make it anew."""
        made = Account(login, number, **more)  # type: ignore[arg-type]  # a table of tests
        self.accounts[login.lower()] = made
        return made

    def rename(self, old: str, new: str) -> None:
        """Give an account another name, as GitHub lets people do."""
        account = self.accounts.pop(old.lower())
        account.login = new
        self.accounts[new.lower()] = account

    def code_for(self, login: str) -> str:
        """A one-time code, as the browser brings it back."""
        code = secrets.token_hex(8)
        self.codes[code] = login.lower()
        return code


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(path.query).items()}
        if path.path == "/login/oauth/authorize" and "login" not in query:
            self._ask_who(query)
        elif path.path == "/login/oauth/authorize":
            self.server.scopes_asked.append(query.get("scope", ""))
            code = self.server.code_for(query["login"])
            back = urlencode({"code": code, "state": query["state"]})
            self._answer(302, {}, Location=f"{query['redirect_uri']}?{back}")
        elif self.server.fault:
            self._answer(*self.server.fault)
        else:
            login = self.server.tokens.get(self.headers.get("Authorization", "").split(" ")[-1])
            account = self.server.accounts.get(login or "")
            if account is None:
                self._answer(401, {"message": "Bad credentials"})
            else:
                self._tell(path.path, account, int(query.get("page", "1")))

    def _ask_who(self, query: Mapping[str, str]) -> None:
        """The page on which a person says who they are."""
        hidden = "".join(
            f'<input type="hidden" name="{escape(key)}" value="{escape(value)}">'
            for key, value in query.items()
        )
        page = f"""<!doctype html><title>Sign in to the provider</title><form>{hidden}
            <input id="login" name="login"><button id="authorize">Authorize</button></form>""".encode()
        self.send_response_only(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def _tell(self, path: str, account: Account, page: int) -> None:
        if path in {"/user", "/api/v4/user"}:
            self._answer(
                200,
                {"login": account.login, "id": account.id, "email": None, "username": account.login}
                | account.claims,
            )
        elif path == "/userinfo":
            self._answer(200, account.claims)
        elif path == "/user/orgs":
            self._page(path, [{"login": org} for org in account.orgs], page)
        elif path == "/user/teams":
            pairs = [team.split("/") for team in account.teams]
            self._page(path, [{"slug": slug, "organization": {"login": org}} for org, slug in pairs], page)
        else:
            self._answer(404, {"message": "Not Found"})

    def _page(self, path: str, items: list[dict[str, object]], page: int) -> None:
        size = self.server.page_size
        more = {}
        if len(items) > page * size:
            more = {"Link": f'<{self.server.url}{path}?page={page + 1}>; rel="next"'}
        self._answer(200, items[(page - 1) * size : page * size], **more)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {key: values[0] for key, values in parse_qs(body).items()}
        if self.server.fault:
            self._answer(*self.server.fault)
        elif (asked.get("client_id"), asked.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            self._answer(200, {"error": "incorrect_client_credentials", "error_description": "wrong"})
        elif (login := self.server.codes.pop(asked.get("code", ""), None)) is None:
            self._answer(200, {"error": "bad_verification_code", "error_description": "old"})
        else:
            token = secrets.token_hex(16)
            self.server.tokens[token] = login
            self._answer(200, {"access_token": token, "token_type": "bearer", "scope": "", "other_tokens": [],
                               "resource_server": "auth"})  # fmt: skip

    def _answer(self, status: int, body: object, **headers: str) -> None:
        text = json.dumps(body).encode()
        self.send_response_only(status)
        for name, value in {**self.server.headers, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def provider(address: str = "127.0.0.1", listen_on: str = "127.0.0.1") -> Iterator[Provider]:
    """A provider that answers while the block runs.

    :param address: by which browsers and the hub reach it.
    :param listen_on: where it listens; 0.0.0.0 for an address that does not exist yet.
    """
    server = Provider(address, listen_on)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
