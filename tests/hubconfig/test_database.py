"""The hub's database: quick to write, and whole whatever ends the hub."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from hubconfig.database import how_to_open


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hub.sqlite"


@pytest.fixture
def hub(file: Path) -> Iterator[Connection]:
    """The hub's connection, as JupyterHub makes it."""
    engine = create_engine(f"sqlite:///{file}", **how_to_open())
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE people (name TEXT)"))
        connection.commit()
        yield connection
    engine.dispose()


def test_a_commit_does_not_wait_for_the_disk(hub: Connection) -> None:
    assert hub.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    assert hub.execute(text("PRAGMA synchronous")).scalar() == 1


def test_others_may_read_while_the_hub_writes(hub: Connection, file: Path) -> None:
    hub.execute(text("INSERT INTO people VALUES ('ada')"))
    hub.commit()
    hub.execute(text("INSERT INTO people VALUES ('bob')"))
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=0) as status:
        assert status.execute("SELECT name FROM people").fetchall() == [("ada",)]


def test_what_a_killed_hub_wrote_is_in_the_file_itself_once_the_next_hub_has_opened_it(
    hub: Connection, file: Path, tmp_path: Path
) -> None:
    hub.execute(text("INSERT INTO people VALUES ('ada')"))
    hub.commit()
    left = tmp_path / "left"
    left.mkdir()
    for each in (file, Path(f"{file}-wal")):  # all that a kill leaves
        shutil.copy(each, left)
    engine = create_engine(f"sqlite:///{left / file.name}", **how_to_open())
    with engine.connect():
        alone = shutil.copy(left / file.name, tmp_path / "alone.sqlite")
        assert sqlite3.connect(alone).execute("SELECT name FROM people").fetchall() == [("ada",)]
    engine.dispose()


def test_a_hub_from_before_keeps_its_database(file: Path) -> None:
    with sqlite3.connect(file) as before:
        before.execute("CREATE TABLE people (name TEXT)")
        before.execute("INSERT INTO people VALUES ('ada')")
    before.close()
    engine = create_engine(f"sqlite:///{file}", **how_to_open())
    with engine.connect() as hub:
        assert hub.execute(text("SELECT name FROM people")).scalar() == "ada"
    engine.dispose()
