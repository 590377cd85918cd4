"""What a killed update left is removed; what is known, or a user's, stays."""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.engine import Engine
from infra.site.orphans import remove_orphans


@dataclass(frozen=True)
class Recorded(Engine):
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, *words: str, seconds: int = 0, text: str | None = None) -> str:
        self.asked.append(words)
        if words[0] == "ps":
            servers = "ccc s-user-ada user hub\nddd s-astro-user-ada user astro"
            return f"aaa s-hub hub hub\nbbb s-proxy proxy\n{servers}"
        if words[:2] == ("network", "ls"):
            return "nnn cyberhub-s"
        return ""


def test_only_what_the_state_does_not_know_is_removed() -> None:
    engine = Recorded()
    assert remove_orphans(engine, "s", {"aaa", "nnn"}, {"hub", "astro"}) == [("container", "s-proxy")]
    assert [words[-1] for words in engine.asked if words[0] == "rm"] == ["bbb"]


def test_users_servers_stay_even_when_nothing_is_known() -> None:
    engine = Recorded()
    removed = remove_orphans(engine, "s", set(), {"hub", "astro"})
    assert ("container", "s-user-ada") not in removed
    assert ("network", "cyberhub-s") in removed


def test_servers_of_a_hub_that_is_no_more_go_too() -> None:
    removed = remove_orphans(Recorded(), "s", {"aaa", "bbb", "nnn"}, {"hub"})
    assert removed == [("container", "s-astro-user-ada")]
