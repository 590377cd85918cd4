"""A message on every page, from a file."""

from __future__ import annotations

from pathlib import Path

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


def test_a_file_that_is_no_text_breaks_no_page(tmp_path: Path) -> None:
    file = tmp_path / "announcement"
    file.write_bytes(b"\xff\xfe hello")
    assert "hello" in Announcement(file).__html__()
