"""The browser that the tests drive."""

from __future__ import annotations

import shutil

from tools.toolchain import apt

_PACKAGES = {"chromium": "chromium", "chromedriver": "chromium-driver", "certutil": "libnss3-tools"}


def ensure() -> None:
    """Have Chromium and its driver. Raises Problem where we may not install them."""
    missing = [package for program, package in _PACKAGES.items() if shutil.which(program) is None]
    if missing:
        names = " and ".join(missing)
        otherwise = f"The tests drive a real browser: install {names} (Debian's names), then run make again."
        apt.install(missing, usually="1 minute", otherwise=otherwise)
