"""A message on every page, from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubconfig.pages.announcement import Announcement


def test_nothing_is_said_without_a_file(tmp_path: Path) -> None:
    assert not Announcement(tmp_path / "announcement")


def test_what_is_written_is_shown_at_once_and_no_html_in_it_counts(tmp_path: Path) -> None:
    file = tmp_path / "announcement"
    message = Announcement(file)
    file.write_text("Down on Friday <script>x</script>\nSee https://example.org/why?a=1&b=2.\n")
    assert message
    assert message.__html__() == (
        "Down on Friday &lt;script&gt;x&lt;/script&gt;<br>See "
        '<a href="https://example.org/why?a=1&amp;b=2">https://example.org/why?a=1&amp;b=2</a>.'
    )
    file.write_text("")
    assert not message


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_message_of_any_system_is_shown(form: str, end: str, tmp_path: Path) -> None:
    file = tmp_path / "announcement"
    file.write_bytes(f"Schl\u00fcssel{end}Down on Friday{end}".encode(form))
    assert Announcement(file).__html__() == "Schl\u00fcssel<br>Down on Friday"


def test_a_file_that_is_no_text_breaks_no_page(tmp_path: Path) -> None:
    file = tmp_path / "announcement"
    file.write_bytes(b"\xff\xfe hello")
    assert "hello" in Announcement(file).__html__()
