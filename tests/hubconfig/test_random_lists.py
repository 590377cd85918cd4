"""Ten thousand list files that nobody would write on purpose."""

from __future__ import annotations

import random

from hubconfig.access.lists import BrokenListError, read_list
from hubconfig.access.rules import Person, Rules, split_lines
from tests.hubconfig.test_access import allowed

PIECES = [
    *("ada", "bob:7", "org:uvic", "team:uvic/x", ":", "#", "@", "/", " ", "\t", "ada:", "ada:" + "9" * 5000),
    *(
        "\n",
        "\r\n",
        "\r",
        "\0",
        "\ufeff",
        "\u2028",
        "\u200b",
        "\x85",
        "İ",
        "\u017f",
        "é",
        "💥",
        "a" * 300,
        "\x1b[31m",
    ),
]


def _random_file(chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return chance.randbytes(chance.randrange(60))
    text = "".join(chance.choice(PIECES) for _ in range(chance.randrange(12)))
    data = text.encode(chance.choice(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    return data[: chance.randrange(len(data) + 1)] if chance.random() < 0.2 else data


def test_ten_thousand_random_list_files_let_nobody_in_wrongly() -> None:
    chance = random.Random(20261101)
    broken = 0
    stranger = Person("stranger", "4242", frozenset({"elsewhere"}), frozenset({"elsewhere/x"}))
    for _ in range(10_000):
        data = _random_file(chance)
        try:
            found = read_list(data, "wlist")
        except BrokenListError:
            broken += 1
            continue
        words = [line.partition("#")[0] for line in split_lines(data.decode("utf-8-sig"))]
        somebody_is_written = any(word.strip(" \t") for word in words)
        if allowed(stranger, Rules(wlist=found)):
            assert not found.given
            assert not any(sign.isalnum() for word in words for sign in word)
        else:
            assert somebody_is_written
        assert not allowed(stranger, Rules(wlist=found, mode="listed"))
        # Each line that holds exactly a name lets that person in, or keeps him out.
        for word in words:
            if word.strip() == "ada":
                assert allowed(Person("ada", "5"), Rules(wlist=found))
                assert not allowed(Person("ada", "5"), Rules(blist=found))
    assert 1_000 < broken < 9_000
