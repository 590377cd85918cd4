"""The notebook `Welcome` of each home: on one screen where files live, what is shared and kept, who helps."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hubconfig.options import HubOptions
from hubconfig.pages.contact import as_markdown
from hubconfig.servers.spaces import name_in_home

FILE = "Welcome.ipynb"


def notebook(options: HubOptions, home: str) -> bytes:
    """The notebook's file."""
    cells = [
        {"cell_type": "markdown", "id": "welcome", "metadata": {}, "source": "\n".join(_text(options, home))},
        {
            "cell_type": "code",
            "id": "try",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": "# Click here, then press Shift+Enter.\n6 * 7",
        },
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    return json.dumps(whole, indent=1, ensure_ascii=False).encode()


def _text(options: HubOptions, home: str) -> Iterator[str]:
    yield f"# Welcome to {options.title}"
    yield ""
    yield f"**Your files** are in `{home}`, which the file list shows. They are yours alone, and stay"
    yield "whatever happens to your server."
    if options.limits.home_gb is not None:
        yield f"There is room for {options.limits.home_gb:g} GB; `df -h ~` in a terminal says what is left."
    yield ""
    if options.spaces:
        yield "**Shared folders**, in the file list too:"
        yield ""
        yield "| in the file list | in programs | you may |"
        yield "|---|---|---|"
        for space in options.spaces:
            may = "read" if space.read_only else "read, and write; so may all others"
            yield f"| `{name_in_home(space)}` | `{space.mount}` | {may} |"
        yield ""
    yield "**Not kept**: everything elsewhere, `/tmp` above all, and what a notebook holds in memory. It goes"
    yield f"when your server ends{_when(options)}. Save results to files as they come."
    yield ""
    yield "**To stop, or to choose something else**: *File → Hub Control Panel → Stop My Server*, then start"
    yield "again."
    yield ""
    yield f"**Help**: {as_markdown(options.contact) or 'ask whoever told you of this hub.'}"
    yield ""
    yield "You may change or delete this notebook; it does not come back."


def _when(options: HubOptions) -> str:
    culling = options.culling
    idle = f"when nobody uses it and it computes nothing for {culling.idle_minutes} minutes"
    age = f"after {culling.max_age_hours} hours in any case"
    said = [text for text, wanted in ((idle, culling.idle_minutes), (age, culling.max_age_hours)) if wanted]
    return f": {', and '.join(said)}" if said else ""
