"""What took long to get is kept while it is used, and no longer."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from infra.images import contexts
from infra.images.contexts import UNUSED_DAYS, proxy_context, tidy


def aged(path: Path, days: float) -> Path:
    then = time.time() - days * 24 * 3600
    os.utime(path, (then, then))
    return path


def test_what_no_update_used_for_long_goes_and_all_else_stays(tmp_path: Path) -> None:
    for name in ("git-old", "git-new"):
        (tmp_path / name / "docker").mkdir(parents=True)
        (tmp_path / name / "docker/Dockerfile").write_text("FROM scratch")
    for name in ("ref-old", "ref-new", "beside"):
        (tmp_path / name).write_text("0" * 40)
    (tmp_path / "link-old").symlink_to(tmp_path / "git-new")
    os.utime(tmp_path / "link-old", (0, 0), follow_symlinks=False)
    for name in ("git-old", "ref-old"):
        aged(tmp_path / name, UNUSED_DAYS + 1)
    for name in ("git-new", "ref-new"):
        aged(tmp_path / name, UNUSED_DAYS - 1)
    tidy(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"git-new", "ref-new", "beside"}
    assert (tmp_path / "git-new/docker/Dockerfile").exists()


def test_a_checkout_without_a_cache_has_nothing_to_tidy(tmp_path: Path) -> None:
    tidy(tmp_path / ".cache")
    assert not (tmp_path / ".cache").exists()


def test_what_an_update_uses_stays_however_old_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caddy = tmp_path / "caddy"
    caddy.write_text("a program")
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setattr(contexts, "CACHE", cache)
    monkeypatch.setenv("CYBERHUBS_CADDY", str(caddy))
    aged(proxy_context().folder, UNUSED_DAYS + 1)
    staged = proxy_context().folder
    tidy(cache)
    assert (staged / "caddy").read_text() == "a program"
