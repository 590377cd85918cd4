"""Stands in for a hub or a user's server behind the proxy, and says what reaches it.

Started as `python3 -c THIS PORT`. It knows whoever says `known` in a cookie, a token or the query, answers
with the headers that the query names, and prints each request as a line of JSON.
"""

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

KNOWN = "known"
ASKED = ("/api/me", "/api/user")


class Upstream(BaseHTTPRequestHandler):
    """Answers everything."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Take the whole request, then answer."""
        try:
            size = sum(len(part) for part in self.parts())
        except (OSError, ValueError):
            self.tell(None)
            self.close_connection = True
            return
        self.tell(size)
        where = urlsplit(self.path)
        said = (self.headers.get("Cookie"), self.headers.get("Authorization"), where.query)
        known = any(KNOWN in (each or "") for each in said)
        self.send_response(403 if where.path.endswith(ASKED) and not known else 200)
        for name, value in parse_qsl(where.query):
            if name.istitle():
                self.send_header(name, value)
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", "5")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"hello")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_PROPFIND = answer  # noqa: N815 - as http.server calls them

    def parts(self) -> Iterator[bytes]:
        """The pieces of the body. Raises ValueError, OSError when it breaks off."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while length := int(self.rfile.readline(), 16):
                yield self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", "0"))
        while left:
            part = self.rfile.read(min(left, 1 << 16))
            if not part:
                raise ValueError("it broke off")
            left -= len(part)
            yield part

    def tell(self, size: int | None) -> None:
        """Say what came; no size where it broke off."""
        told = {
            "method": self.command,
            "path": self.path,
            "bytes": size,
            "cookie": self.headers.get("Cookie"),
            "host": self.headers.get("Host"),
            "proto": self.headers.get("X-Forwarded-Proto"),
        }
        print(json.dumps(told), flush=True)

    def log_message(self, *_: object) -> None:
        """Nothing but that."""


ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Upstream).serve_forever()
