"""Programs that run where a user's server runs, and do what they can to its neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.images.building import DROPPED, image, log, running, until

SECONDS: Final = 60
"""After which an attack ends by itself."""

FLOOD: Final = """\
import resource, selectors, socket, sys, threading, time
where, end = (sys.argv[1], int(sys.argv[2])), time.monotonic() + float(sys.argv[3])
says = sys.argv[4].encode().decode("unicode_escape").encode()
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
tried = 0

def assail(count):
    global tried
    held = []
    while time.monotonic() < end:
        if len(held) < count:
            tried += 1
            one = socket.socket()
            one.settimeout(1)
            try:
                one.connect(where)
                one.sendall(says)
                held.append(one)
            except OSError:
                one.close()
        for one in held[:] if says.endswith(b"\\r\\n\\r\\n") else ():
            try:
                if not one.recv(65536):
                    raise OSError
                one.sendall(says)
            except OSError:
                one.close()
                held.remove(one)

threads = [threading.Thread(target=assail, args=(1250,), daemon=True) for _ in range(16)]
for thread in threads:
    thread.start()
print("assailing", flush=True)
while time.monotonic() < end:
    time.sleep(0.1)
"""
"""20,000 connections from 16 threads that say something and hold on; a whole request is sent ever anew."""

IDLE: Final = ""
HALF: Final = "POST /hub/login HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 900000\\r\\n\\r\\nusername="
ASKING: Final = "GET /hub/no/such/page HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"


@contextmanager
def assailing(server: str, target: str, port: int, says: str) -> Iterator[str]:
    """Have somebody with a server flood an address from it while the block runs.

    :param server: the container in whose network, and so with whose address, it runs.
    """
    words = ["--init", "--network", f"container:{server}", *DROPPED, "--user", "1000:100"]
    words += ["--ulimit", "nofile=20000:20000", "--entrypoint", "python3", image("hub"), "-c", FLOOD]
    with running("attacks-flood", *words, target, str(port), str(SECONDS), says) as container:
        until(lambda: "assailing" in log(container), "the attack begins")
        yield container
