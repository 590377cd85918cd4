"""What is written on is taken by the programs that use it, as they are in our images: ssh and rclone."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from hubconfig.backup.options import credentials
from infra.handed_over.text import HandedOverError
from tests.images.building import ENGINE, image, running
from tests.unit.test_handed_over import READERS, handed, rows

INPUTS = 10_000
SIGNS = "=:[]\"'`#;{}$%\\/ \n\r\t\0\x0b\x85\u00a0\u200b\u2028\ufeff\ufffd\U0001f600ab1AZ+-"
ASKED = 150
"""Of what is taken of them, as many are given to the program: one call asks it for all."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A container with the spaces' programs, and a folder that it sees at /given."""
    folder = tmp_path_factory.mktemp("given")
    words = ["--init", "--volume", f"{folder}:/given", "--entrypoint", "sleep"]
    with running("images-handed-over", *words, image("spaces"), "3600") as name:
        yield name, folder


def taken(kind: str) -> list[str]:
    """What is written on of all rows, and of inputs made of them at random."""
    read = READERS[kind]
    found = {read(handed(kind, name)) for name in rows(kind, "taken")}

    draw = Random(kind)
    texts = [handed(kind, name) for name in (*rows(kind, "taken"), *rows(kind, "refused"))]
    for _ in range(INPUTS):
        with contextlib.suppress(HandedOverError):
            found.add(read(altered(draw.choice(texts), draw)))
    return sorted(found)[:: max(1, len(found) // ASKED)]


def altered(text: str, draw: Random) -> str:
    """A text with up to three places changed."""
    for _ in range(draw.randint(0, 3)):
        at = draw.randint(0, len(text))
        put = "".join(draw.choices(SIGNS, k=draw.randint(0, 6)))
        text = text[:at] + put + text[at + draw.randint(0, 4) :]
    return text


def refused(programs: tuple[str, Path], given: list[str], ask: str) -> list[str]:
    """Those of the texts for which a command fails; it finds one as `$file`."""
    container, folder = programs
    for old in folder.iterdir():
        old.unlink()
    for number, text in enumerate(given):
        (folder / f"{number}").write_text(text)
        (folder / f"{number}").chmod(0o600)
    script = f'cd /given && for file in *; do {ask} >"$file.out" 2>"$file.err" || echo "$file"; done'
    numbers = ENGINE.run("exec", container, "sh", "-c", script, seconds=300).split()
    return [given[int(number)] for number in numbers]


def test_ssh_takes_every_key_that_is_taken(programs: tuple[str, Path]) -> None:
    keys = taken("ssh-key")
    assert len(keys) >= len({*map(READERS["ssh-key"], keys)}) > 3
    assert refused(programs, keys, 'ssh-keygen -y -P "" -f "$file"') == []
    assert refused(programs, ["-----BEGIN OPENSSH PRIVATE KEY-----\n"], 'ssh-keygen -y -P "" -f "$file"')


def test_rclone_reads_every_configuration_as_it_was_read_here(programs: tuple[str, Path]) -> None:
    given = taken("rclone")
    assert refused(programs, given, 'rclone --config "$file" config dump') == []
    for number, text in enumerate(given):
        theirs = json.loads((programs[1] / f"{number}.out").read_text())
        assert theirs == sections(text), text


def sections(text: str) -> dict[str, dict[str, str]]:
    """What is written on, section by section."""
    found: dict[str, dict[str, str]] = {}
    for line in filter(None, text.split("\n")):
        if line.startswith("["):
            current = found.setdefault(line[1:-1], {})
        else:
            key, _, value = line.partition(" = ")
            current[key] = value
    return found


def test_the_backup_reads_every_variable_as_it_was_read_here() -> None:
    for text in taken("backup-credentials"):
        assert "".join(f"{name}={value}\n" for name, value in credentials(text).items()) == text
