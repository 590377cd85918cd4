"""The list files on a real disk: what an editor, a crash or a mishap can make of them."""

from __future__ import annotations

import logging
import os
import random
import threading
import time

import pytest

from hubconfig.access import lists
from hubconfig.access.rules import Person, Reason, Rules, decide
from tests.hubconfig.list_folder import ADA, BOB, NOW, ListFolder


def test_a_change_counts_at_the_next_decision(place: ListFolder) -> None:
    place.write(place.wlist, "ada\n")
    assert place.lets_in(ADA)
    assert not place.lets_in(BOB)
    place.write(place.wlist, "ada\nbob\n")
    assert place.lets_in(BOB)
    place.write(place.blist, "ada\n")
    assert not place.lets_in(ADA)


def test_a_file_is_believed_as_soon_as_nobody_writes_it_any_more(place: ListFolder) -> None:
    place.write(place.wlist, "ada\n")
    assert not place.lets_in(BOB)
    place.write(place.wlist, "ada\nbo", age_s=0)
    assert not place.lets_in(BOB)
    place.write(place.wlist, "ada\nbob\n", age_s=0)
    assert not place.lets_in(BOB)
    time.sleep(lists.SETTLE_S + 0.05)
    assert place.lets_in(BOB)


def test_a_file_from_the_future_is_believed_too(place: ListFolder) -> None:
    place.write(place.wlist, "ada\n", age_s=-3600)
    assert place.lets_in(ADA)
    place.write(place.wlist, "bob\n", age_s=-3600)
    assert place.lets_in(ADA)
    time.sleep(lists.SETTLE_S + 0.05)
    assert not place.lets_in(ADA)


def test_an_editor_that_empties_the_file_before_it_writes_opens_the_hub_to_nobody(place: ListFolder) -> None:
    place.write(place.wlist, "ada\n")
    assert not place.lets_in(BOB)
    place.write(place.wlist, "", age_s=lists.SETTLE_S + 0.1)
    assert not place.lets_in(BOB)


def test_a_list_that_was_emptied_on_purpose_opens_the_hub(place: ListFolder) -> None:
    place.write(place.wlist, "ada\n")
    assert not place.lets_in(BOB)
    place.write(place.wlist, "# nobody\n")
    assert place.lets_in(BOB)


BROKEN = {
    "half a letter": b"ada\nb\xc3",
    "another encoding": "ada\n".encode("utf-16"),
    "zeros after a crash": b"\0" * 4096,
    "too large": b"ada\n" * 400_000,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_leaves_the_last_good_list_in_force(
    place: ListFolder, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    place.write(place.wlist, "ada\n")
    place.write(place.blist, "bob\n")
    assert place.lets_in(ADA)
    place.write(place.wlist, data)
    place.write(place.blist, data)
    caplog.clear()
    for _ in range(3):
        assert place.lets_in(ADA)
        assert not place.lets_in(BOB)
    told = [record.message for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(told) == 2
    assert len(place.lists.problems) == 2
    place.restarted()
    assert place.lets_in(ADA)
    assert not place.lets_in(BOB)
    assert not place.lets_in(Person("carol", "14"))
    place.write(place.wlist, "carol\n")
    assert place.lets_in(Person("carol", "14"))
    assert len(place.lists.problems) == 1


def test_a_file_that_vanished_stays_in_force_also_after_a_restart(place: ListFolder) -> None:
    place.write(place.wlist, "ada\n")
    place.write(place.blist, "ada\n")
    assert not place.lets_in(ADA)
    place.wlist.unlink()
    place.blist.unlink()
    assert not place.lets_in(ADA)
    assert not place.lets_in(BOB)
    time.sleep(lists.GONE_SETTLE_S + 0.05)
    assert not place.lets_in(BOB)
    assert len(place.lists.problems) == 2
    place.restarted()
    assert not place.lets_in(BOB)
    place.write(place.wlist, "")
    place.write(place.blist, "")
    assert place.lets_in(BOB)
    assert place.lets_in(ADA)
    assert not place.lists.problems


def test_a_volume_that_is_not_there_opens_the_hub_to_nobody(place: ListFolder) -> None:
    place.write(place.wlist, "ada\n")
    assert place.lets_in(ADA)
    place.access.rename(place.access.with_name("elsewhere"))
    place.restarted()
    assert place.lets_in(ADA)
    assert not place.lets_in(BOB)


def test_lists_that_never_were_are_empty(place: ListFolder) -> None:
    assert place.lets_in(BOB)
    assert not place.lists.problems


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_first_list_that_cannot_be_read_opens_the_hub_to_nobody(place: ListFolder, data: bytes) -> None:
    place.write(place.wlist, data)
    place.restarted()
    assert not place.lets_in(BOB)
    place.write(place.wlist, "bob")
    assert place.lets_in(BOB)


def test_a_first_black_list_that_cannot_be_read_keeps_everybody_out(place: ListFolder) -> None:
    place.write(place.blist, b"\xff")
    place.restarted()
    assert decide(ADA, Rules(blist=place.lists.blist), NOW).reason is Reason.BANS_UNKNOWN
    place.write(place.blist, "")
    assert place.lets_in(ADA)


def test_a_lost_memory_of_the_list_opens_the_hub_to_nobody(place: ListFolder) -> None:
    place.write(place.wlist, "ada\n")
    assert place.lets_in(ADA)
    (place.keep / "wlist").write_bytes(b"\xff")
    place.wlist.unlink()
    place.restarted()
    assert not place.lets_in(BOB)
    assert not place.lets_in(ADA)


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "loop"])
def test_what_is_no_file_leaves_the_list_in_force_and_holds_nothing_up(place: ListFolder, kind: str) -> None:
    place.write(place.wlist, "ada\n")
    assert place.lets_in(ADA)
    place.wlist.unlink()
    match kind:
        case "folder":
            place.wlist.mkdir()
        case "pipe":
            os.mkfifo(place.wlist)
        case "device":
            place.wlist.symlink_to("/dev/zero")
        case _:
            place.wlist.symlink_to(place.wlist)
    time.sleep(lists.SETTLE_S + 0.05)
    begun = time.monotonic()
    assert place.lets_in(ADA)
    assert not place.lets_in(BOB)
    assert time.monotonic() - begun < 0.2
    time.sleep(lists.SETTLE_S + 0.05)
    place.lists.look()
    assert place.lists.problems


def test_a_file_that_may_not_be_read_leaves_the_list_in_force(
    place: ListFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(place.wlist, "ada\n")
    assert place.lets_in(ADA)
    place.write(place.wlist, "bob\n")

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refused)  # tests may run as root, whom no mode keeps out
        assert place.lets_in(ADA)
        assert "Permission denied" in place.lists.problems[0]
    assert place.lets_in(BOB)
    assert not place.lists.problems


def test_a_full_disk_costs_the_memory_of_the_list_and_says_so(
    place: ListFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    place.write(place.wlist, "ada\n")
    assert place.lets_in(ADA)
    assert "No space left" in place.lists.problems[0]


def test_lines_that_are_not_understood_are_told_with_their_number(place: ListFolder) -> None:
    place.write(place.wlist, "ada\nb o b\n")
    assert place.lets_in(ADA)
    assert "wlist line 2: b o b" in place.lists.problems[0]
    place.write(place.wlist, "ada\nbob\n")
    assert place.lets_in(BOB)
    assert not place.lists.problems


def test_no_stranger_gets_in_however_the_files_change(place: ListFolder) -> None:
    """Somebody edits, truncates, moves and breaks both files while decisions are made."""
    stranger, banned = Person("stranger", "99"), Person("mallory", "66")
    place.write(place.wlist, "ada\nmallory\n")
    place.write(place.blist, "mallory\n")
    place.lists.look()
    chance = random.Random(5)
    done = threading.Event()

    def edit() -> None:
        while not done.is_set():
            for path, good in ((place.wlist, "ada\nmallory\n"), (place.blist, "mallory\n")):
                act = chance.randrange(5)
                if act == 0:
                    path.write_text(good[: chance.randrange(1, len(good))])
                elif act == 1:
                    path.unlink(missing_ok=True)
                elif act == 2:
                    path.write_bytes(b"\xff\xfe" + good.encode())
                elif act == 3:
                    path.write_bytes(b"")
                beside = path.with_suffix(".new")
                beside.write_text(good)
                beside.replace(path)

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        until = time.monotonic() + 1.5
        decisions = 0
        while time.monotonic() < until:
            assert not place.lets_in(stranger)
            assert not place.lets_in(banned)
            decisions += 1
    finally:
        done.set()
        editor.join()
    assert decisions > 100
