"""The line that a visitor's first sign-in adds to the list that people edit by hand."""

from __future__ import annotations

import time

import pytest

from hubconfig.access import lists
from hubconfig.access.lists import BrokenListError
from hubconfig.access.rules import Person
from tests.hubconfig.list_folder import ADA, BOB, ListFolder


def test_a_visitor_s_line_keeps_comments_line_ends_and_mode(place: ListFolder) -> None:
    place.write(place.wlist, b"\xef\xbb\xbf# class of 2026\r\nada # she\r\nbob")
    place.wlist.chmod(0o640)
    assert place.lets_in(BOB)
    assert place.lists.welcome("carol:14  # came")
    assert place.wlist.read_bytes() == (
        b"\xef\xbb\xbf# class of 2026\r\nada # she\r\nbob\ncarol:14  # came\n"
    )
    assert place.wlist.stat().st_mode & 0o777 == 0o640
    assert place.lists.welcome("dan:15")
    time.sleep(lists.SETTLE_S + 0.05)
    assert place.lets_in(Person("dan", "15"))


def test_a_visitor_s_line_waits_while_somebody_writes_the_list(place: ListFolder) -> None:
    place.write(place.wlist, "ada\nbo", age_s=0)
    assert not place.lists.welcome("carol")
    assert place.wlist.read_text() == "ada\nbo"


def test_a_visitor_s_line_takes_no_vanished_or_broken_list_s_place(place: ListFolder) -> None:
    place.write(place.wlist, "ada\n")
    assert place.lets_in(ADA)
    place.wlist.unlink()
    with pytest.raises(BrokenListError, match="gone"):
        place.lists.welcome("carol")
    assert not place.wlist.exists()
    place.write(place.wlist, b"\xff")
    with pytest.raises(BrokenListError, match="UTF-8"):
        place.lists.welcome("carol")
    assert place.wlist.read_bytes() == b"\xff"


def test_the_first_visitor_s_line_makes_the_list(place: ListFolder) -> None:
    assert place.lists.welcome("carol")
    assert place.wlist.read_text() == "carol\n"
