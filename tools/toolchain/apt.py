"""Debian's packages, where we may install them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence

from tools.toolchain.console import Problem, run, step

_APT = ("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")


def may_install() -> bool:
    """Whether this is root on Debian, Ubuntu or a relative."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str], *, usually: str, otherwise: str) -> None:
    """Install packages.

    Raises Problem with `otherwise`, which says what to do by hand, where we may not.
    """
    if not may_install():
        raise Problem(otherwise)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    words = " ".join(packages)
    by_hand = f"Look at the error above, then try by hand: apt-get update && apt-get install {words}"
    with step(f"Installing Debian's {words}", usually):
        run([*_APT, "update"], env=env, by_hand=by_hand)
        run([*_APT, "install", "--no-install-recommends", *packages], env=env, by_hand=by_hand)


def ensure_shellcheck() -> None:
    """Have shellcheck. Raises Problem where we may not install it."""
    if shutil.which("shellcheck") is None:
        otherwise = "shellcheck is not installed; install the package of that name, then run make again."
        install(["shellcheck"], usually="10 seconds", otherwise=otherwise)


def candidate(package: str) -> tuple[int, ...]:
    """The version that apt would install, as numbers; (0,) if there is none."""
    if shutil.which("apt-cache") is None:
        return (0,)
    policy = run(["apt-cache", "policy", package], by_hand="")
    found = re.search(r"Candidate: (?:\d+:)?(\d+)\.(\d+)", policy)
    return tuple(int(number) for number in found.groups()) if found else (0,)


def mirrors() -> list[tuple[str, str]]:
    """Address and suite of each source of Debian's own packages that this machine's apt has."""
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    listed = run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], by_hand="")
    rows = [line.split(" ") for line in listed.splitlines()]
    return [(row[0], row[1]) for row in rows if len(row) == 3 and row[2] == "main"]


def access_options() -> list[str]:
    """How this machine's apt reaches its mirrors, where that was set by hand: proxies, lenient dates."""
    if shutil.which("apt-config") is None:
        return []
    return lasting_options(run(["apt-config", "dump"], by_hand=""))


def lasting_options(dump: str) -> list[str]:
    """The options in `apt-config dump` for reaching mirrors that mean the same inside an image."""
    wanted = re.compile(
        r"Acquire::(https?::(Proxy|Proxy::[^ ]+|Pipeline-Depth|Timeout)|Check-Valid-Until|Check-Date|Retries)"
        r' "[^"]+";'
    )
    return sorted(line.removesuffix(";") for line in dump.splitlines() if wanted.fullmatch(line))
