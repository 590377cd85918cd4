"""The page an administrator reads says what the program does."""

from __future__ import annotations

import re

from tools.settings_reference import PAGE, reference


def test_the_settings_page_is_what_the_models_say() -> None:
    assert PAGE.read_text() == reference(), "run: python -m tools.settings_reference"


def test_every_setting_tells_what_it_is_and_what_changing_it_does() -> None:
    rows = [line for line in reference().splitlines() if re.match(r"\| `", line)]
    assert len(rows) > 80
    for row in rows:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        assert cells[-2], f"no description: {row}"
        assert cells[-1] or "see below" in row, f"no effect: {row}"
