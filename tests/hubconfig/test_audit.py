"""The audit trail: what is about people stays, however much else the hub has to say."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hubconfig.access import audit
from hubconfig.access.audit import Audit


@pytest.fixture
def log(tmp_path: Path) -> Iterator[logging.Logger]:
    with audited(tmp_path / "audit.log") as logger:
        yield logger


@contextmanager
def audited(path: Path) -> Iterator[logging.Logger]:
    """A log with the trail."""
    logger, handler = logging.getLogger("tests.audit"), Audit(path)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        handler.close()


def trail(folder: Path) -> list[str]:
    """All that is kept, oldest last."""
    return [line for file in sorted(folder.glob("audit.log*")) for line in file.read_text().splitlines()]


def test_a_flood_of_other_lines_leaves_it_as_it_is(log: logging.Logger, tmp_path: Path) -> None:
    log.warning("access: denied mallory: banned (blist line 3)")
    for number in range(20_000):
        log.warning("404 GET /hub/access: denied/%d (ada@10.0.8.9) 1.00ms", number)
    log.info("User logged in: %s", "bob")
    log.info("User %s took %.3f seconds to start", "bob", 1.5)
    assert [line.split(" ", 2)[2] for line in trail(tmp_path)] == [
        "access: denied mallory: banned (blist line 3)",
        "User logged in: bob",
        "User bob took 1.500 seconds to start",
    ]


def test_nobody_else_reads_it_also_after_it_was_renewed(
    log: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log.handlers[0], "maxBytes", 2000)
    for number in range(500):
        log.info("access: allowed user%d: listed", number)
    files = sorted(tmp_path.glob("audit.log*"))
    assert len(files) == audit.FILES
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert sum(file.stat().st_size for file in files) <= 2000 * audit.FILES
    assert "user499" in (tmp_path / "audit.log").read_text()


@pytest.mark.parametrize(
    "name",
    ["a\nUser logged in: grace", "a\r\nb", "\x1b[2Jx", "a\u2028b"],
    ids=["line", "return", "escape", "separator"],
)
def test_a_name_cannot_write_lines_of_its_own(log: logging.Logger, tmp_path: Path, name: str) -> None:
    log.warning("access: denied %s: not listed", name)
    text = (tmp_path / "audit.log").read_text()
    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()


def test_a_disk_that_is_full_is_told_once_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with audited(tmp_path / "no" / "such" / "audit.log") as logger:
        for _ in range(5):
            logger.warning("access: denied ada: not listed")
    assert capsys.readouterr().err.count("cannot be written") == 1
