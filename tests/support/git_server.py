"""A git server on this machine: everybody may clone over http, who has a password may push."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.org")


class GitServer(ThreadingHTTPServer):
    """Speaks git's own http protocol, by git's own program."""

    daemon_threads = True

    def __init__(
        self,
        root: Path,
        listen_on: str = "127.0.0.1",
        port: int = 0,
        handler: type[Handler] | None = None,
    ) -> None:
        """Serve the bare repositories in a folder."""
        super().__init__((listen_on, port), handler or Handler)
        self.root = root
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.password: str | None = None
        """What a push needs, with any name; None: nobody may push."""
        self.silent = False
        """Whether it hangs up on everybody."""

    def repository(self, name: str, files: Mapping[str, bytes]) -> Path:
        """A new repository with a first commit on `main`; the folder in which one works on it."""
        work, bare = self.root / f"{name}-work", self.root / f"{name}.git"
        git("init", "--quiet", "--initial-branch", "main", str(work))
        commit(work, files)
        git("clone", "--quiet", "--bare", str(work), str(bare))
        git("-C", str(bare), "config", "http.receivepack", "true")
        git("-C", str(work), "remote", "add", "origin", str(bare))
        return work


class Handler(BaseHTTPRequestHandler):
    """Hands each request to `git http-backend`, as a web server does."""

    server: GitServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Tell what there is."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Give or take objects."""
        self._answer(self._body())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, body: bytes) -> None:
        if self.server.silent:
            self.close_connection = True
            return
        where = urlsplit(self.path)
        if "git-receive-pack" in self.path and not self._may_push():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": where.path,
            "QUERY_STRING": where.query,
            "REQUEST_METHOD": self.command,
            "REMOTE_USER": "somebody",
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=environment, input=body, capture_output=True, check=True
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
        for field, value in fields.items():
            self.send_header(field, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _may_push(self) -> bool:
        given = self.headers.get("Authorization", "")
        known = b64encode(f"x-access-token:{self.server.password}".encode()).decode()
        return self.server.password is not None and given == f"Basic {known}"


@contextmanager
def serving(server: GitServer, certificate: tuple[Path, Path] | None = None) -> Iterator[GitServer]:
    """The server answers while the block runs.

    :param certificate: with its key, for https.
    """
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        shutil.rmtree(server.root, ignore_errors=True)


def application(jupyterhub: str, program: bytes, *lines: str) -> dict[str, bytes]:
    """The files of an application hub that does what the stand-in for a user's server does.

    :param jupyterhub: the version that its label tells.
    :param program: the stand-in.
    """
    dockerfile = ["ARG BASE", "FROM $BASE", "COPY stub /stub", "RUN chmod 0755 /stub", *lines]
    dockerfile += [f"ENV JUPYTERHUB_VERSION={jupyterhub}", f"LABEL cyberhubs.jupyterhub={jupyterhub}"]
    dockerfile += ["USER 1000:100", "EXPOSE 8888", 'ENTRYPOINT ["/stub"]', 'CMD ["serve"]', ""]
    return {"Dockerfile": "\n".join(dockerfile).encode(), "stub": program}


def commit(work: Path, files: Mapping[str, bytes], *, push: bool = False) -> str:
    """Commit files; the commit."""
    for name, content in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(content)
    git("-C", str(work), "add", "--all")
    git("-C", str(work), *IDENTITY, "commit", "--quiet", "--message", "A change")
    if push:
        git("-C", str(work), "push", "--quiet", "origin", "HEAD")
    return git("-C", str(work), "rev-parse", "HEAD")


def git(*words: str) -> str:
    """What git prints."""
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()
