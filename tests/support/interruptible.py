"""An address of Docker that can go away, as when the engine stops, while the real engine goes on."""

from __future__ import annotations

import shutil
import socket
import threading
from pathlib import Path

ENGINE = "/var/run/docker.sock"


class InterruptibleEngine:
    """Leads to the machine's engine until it is stopped."""

    def __init__(self, path: Path) -> None:
        """Answer at a socket.

        :param path: the socket's; at most 100 characters, as Linux allows no more.
        """
        self.path = path
        self._open: set[socket.socket] = set()
        self.start()

    @property
    def address(self) -> str:
        """What DOCKER_HOST is set to."""
        return f"unix://{self.path}"

    def start(self) -> None:
        """Answer, or answer again."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        threading.Thread(target=self._answer, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Answer nobody any more, and break off what is being said."""
        self.path.unlink()
        for each in (self._listener, *self._open):
            hang_up(each)
        self._open.clear()

    def _answer(self, listener: socket.socket) -> None:
        while True:
            try:
                asking, _ = listener.accept()
            except OSError:
                listener.close()
                return
            answering = socket.socket(socket.AF_UNIX)
            answering.connect(ENGINE)
            self._open |= {asking, answering}
            for pair in ((asking, answering), (answering, asking)):
                threading.Thread(target=pass_on, args=pair, daemon=True).start()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Say to one what the other says, until one of them ends."""
    with source.makefile("rb", buffering=0) as said, target.makefile("wb", buffering=0) as heard:
        try:
            shutil.copyfileobj(said, heard)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            hang_up(source)


def hang_up(line: socket.socket) -> None:
    """End both directions; whoever waits on it is woken."""
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself
