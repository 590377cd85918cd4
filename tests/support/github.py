"""A stand-in for GitHub, as far as git and short-lived credentials need it."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from urllib.parse import parse_qs

from tests.support.git_server import GitServer, Handler

CLIENT_ID = "Iv1.0123456789abcdef"
EIGHT_HOURS_S = 28_800


class GitHub(GitServer):
    """Repositories; and the device flow of one GitHub App, in which its owner enters the code at once."""

    def __init__(self, root: Path, address: str) -> None:
        """Be github.com at an address."""
        super().__init__(root, address, 443, _Handler)
        self.asked = 0
        """How often a token was asked for."""


class _Handler(Handler):
    server: GitHub

    def do_POST(self) -> None:  # noqa: N802 - http.server's own name
        """Give a device its code, then its token; the rest is git's."""
        if not self.path.startswith("/login/"):
            super().do_POST()
            return
        fields = {key: values[0] for key, values in parse_qs(self._body().decode()).items()}
        if fields.get("client_id") != CLIENT_ID:
            self._say({"error": "Not found"})
        elif self.path == "/login/device/code":
            code = {"device_code": "the-device", "user_code": "ABCD-1234", "interval": 1}
            self._say({**code, "verification_uri": "https://github.com/login/device", "expires_in": 900})
        elif fields["device_code"] != "the-device" or self.server.asked == 0:
            self.server.asked += 1
            self._say({"error": "authorization_pending"})
        else:
            self.server.password = f"ghu_{secrets.token_hex(18)}"
            self._say({"access_token": self.server.password, "expires_in": EIGHT_HOURS_S})

    def _say(self, content: object) -> None:
        text = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
