"""The first process of a user-mode Linux: mounts what the tests need and does what they tell it.

Each line that it reads names a file with a JSON object (`words`, `user`, `environment`, `background`), as a
console takes no long lines; it answers with such an object. Run by the kernel as `init`; needs nothing but
the standard library.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tty
from pathlib import Path

_FINIT_MODULE = 313

libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str, options: str = "") -> None:
    if libc.mount(source.encode(), target.encode(), kind.encode(), 0, options.encode()) != 0:
        raise OSError(f"mounting {source} at {target}: {os.strerror(ctypes.get_errno())}")


def load(module: Path) -> None:
    with module.open("rb") as file:
        if libc.syscall(_FINIT_MODULE, file.fileno(), b"", 0) != 0:
            raise OSError(f"{module}: {os.strerror(ctypes.get_errno())}")


def answer(text: str) -> str:
    asked = json.loads(text)
    user = asked["user"]
    who = {"user": user, "group": 100, "extra_groups": []} if user else {}
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **asked["environment"]}
    if asked["background"]:
        with Path(asked["background"]).open("wb") as log:
            started = subprocess.Popen(
                asked["words"], env=environment, stdout=log, stderr=log, cwd="/", **who
            )
        return json.dumps({"pid": started.pid})
    try:
        done = subprocess.run(
            asked["words"], env=environment, capture_output=True, text=True, cwd="/", check=False, **who
        )
    except OSError as error:
        return json.dumps({"code": 127, "out": "", "err": str(error)})
    return json.dumps({"code": done.returncode, "out": done.stdout, "err": done.stderr})


def main() -> None:
    mount("proc", "/proc", "proc")
    mount("run", "/run", "tmpfs")
    release = os.uname().release
    modules = Path("/usr/lib/uml/modules") / release / "kernel/fs/quota"
    for name in ("quota_tree", "quota_v2"):
        load(modules / f"{name}.ko")
    tty.setraw(0)
    print("ready", flush=True)
    for line in sys.stdin:
        print(answer(Path(line.strip()).read_text()), flush=True)
    libc.reboot(0x4321FEDC)


if __name__ == "__main__":
    main()
