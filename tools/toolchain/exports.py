"""What was decided about this machine, kept as lines of shell that tools/env.sh reads."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from tools.toolchain.places import PULUMI_HOME

FILE = PULUMI_HOME / "toolchain.env"

_LINE = re.compile(r"export (?P<name>[A-Z_]+)=(?P<value>.*)")


def read(file: Path = FILE) -> dict[str, str]:
    """The decisions of the last time; empty before the first."""
    if not file.exists():
        return {}
    lines = (_LINE.fullmatch(line) for line in file.read_text().splitlines())
    return {line["name"]: "".join(shlex.split(line["value"])) for line in lines if line}


def render(values: Mapping[str, str]) -> str:
    """The file's text."""
    lines = ["# Written by tools/toolchain, read by tools/env.sh."]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in sorted(values.items())]
    return "\n".join(lines) + "\n"


def update(changes: Mapping[str, str | None], file: Path = FILE) -> None:
    """Keep these decisions with the others; None takes one back."""
    before = read(file)
    values = {name: value for name, value in {**before, **changes}.items() if value is not None}
    if values == before and file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".new")
    unfinished.write_text(render(values))
    unfinished.rename(file)
