"""What the hub makes of homes' limits: whom it lets start, and what it says."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hubconfig.homes import homes as homes_module
from hubconfig.homes.homes import Homes, HomeUsage
from hubconfig.options import Application, Limits
from hubconfig.servers.menu import Menu, options_from_form
from hubconfig.servers.not_started import NotStartedError
from hubconfig.servers.spawner import Server
from tests.hubconfig.test_configuration import settings

MB = 10**6
LIMIT_GB = 10.0
KB = 4096


def room(used_mb: float, most_mb: int = 10_000, files: int = 10) -> HomeUsage:
    return HomeUsage(round(used_mb * MB), most_mb * MB, files, most_mb * MB // KB)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What the system tells of homes: change it as the container does that limits them."""
    told = {"whole_mb": 180_000, "free_mb": 90_000}
    real = os.statvfs

    def statvfs(path: Any) -> Any:
        if Path(path).name != "ada":
            return real(path)
        blocks, free = told["whole_mb"] * MB // KB, told["free_mb"] * MB // KB
        return SimpleNamespace(f_frsize=KB, f_blocks=blocks, f_bfree=free, f_files=blocks, f_ffree=free)

    monkeypatch.setattr(os, "statvfs", statvfs)
    return told


@pytest.fixture
def homes(tmp_path: Path) -> Homes:
    (tmp_path / "ada").mkdir(mode=0o700)
    return Homes(tmp_path, "/mnt/jupyterhub_users", LIMIT_GB)


def test_a_start_waits_until_the_home_has_its_limit(homes: Homes, disk: dict[str, int]) -> None:
    async def start() -> float:
        asyncio.get_running_loop().call_later(0.3, disk.update, {"whole_mb": 10_000, "free_mb": 9_000})
        begun = asyncio.get_running_loop().time()
        await homes.limited("ada")
        return asyncio.get_running_loop().time() - begun

    assert 0.3 <= asyncio.run(start()) < 2


def test_a_home_that_gets_no_limit_is_not_started_on(
    homes: Homes, disk: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homes_module, "LIMIT_S", 0.3)
    with pytest.raises(NotStartedError, match="cannot limit the space") as caught:
        asyncio.run(homes.limited("ada"))
    assert caught.value.status_code == 500


def test_without_a_limit_nobody_waits_and_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    without = Homes(tmp_path, "/mnt/jupyterhub_users")
    asyncio.run(without.limited("ada"))
    assert without.usage("ada") is None
    assert without.usages() == {}


def test_what_a_home_holds_is_told_as_the_system_tells_it(homes: Homes, disk: dict[str, int]) -> None:
    disk.update(whole_mb=10_000, free_mb=2)
    assert str(homes.usage("ada")) == "9,998 of 10,000 MB"
    assert set(homes.usages()) == {"ada"}
    assert homes.usage("bob") is None
    assert homes.usage("../ada") is None


@pytest.mark.parametrize(
    ("found", "said", "full"),
    [
        (room(0), "0 of 10,000 MB", False),
        (room(9_980), "9,980 of 10,000 MB", False),
        (room(9_998.4), "9,998 of 10,000 MB", True),
        (room(10_000), "10,000 of 10,000 MB", True),
        # Lowered below what was there.
        (room(12_000), "12,000 of 10,000 MB", True),
        (room(500, files=2_441_300), "2,441,300 of 2,441,406 files", False),
        (room(500, files=2_441_400), "2,441,400 of 2,441,406 files", True),
    ],
)
def test_the_numbers_are_those_that_count(found: HomeUsage, said: str, full: bool) -> None:
    assert (str(found), found.full) == (said, full)


def started(homes: Homes, asked: dict[str, str]) -> None:
    """The part of a start that looks at the home's room."""
    kind = Server.of(settings(limits={"homeGb": LIMIT_GB}), _menu(), homes)
    server = SimpleNamespace(homes=kind.homes, user=SimpleNamespace(name="ada"))
    Server._check_room(server, to_make_room=bool(asked.get("make_room")))  # type: ignore[arg-type]  # as much of a server as it looks at


def _menu() -> Menu:
    return Menu([Application(name="corehub", title="Core", build="corehub")], Limits(), lambda *_: True)


def test_a_full_home_is_refused_with_its_numbers(homes: Homes, disk: dict[str, int]) -> None:
    disk.update(whole_mb=10_000, free_mb=2)
    with pytest.raises(NotStartedError, match="Your files take 9,998 of 10,000 MB") as caught:
        started(homes, {})
    assert caught.value.status_code == 507


def test_whoever_wants_to_remove_files_gets_a_server(homes: Homes, disk: dict[str, int]) -> None:
    disk.update(whole_mb=10_000, free_mb=0)
    asked = options_from_form({"application": ["corehub"], "interface": ["lab"], "make_room": ["yes"]})
    started(homes, asked)
    # It is not remembered: the next start asks again.
    assert "make_room" not in _menu().choose("ada", asked).as_options()


def test_the_start_page_tells_what_a_home_holds() -> None:
    form = _menu().form
    assert "Your files take" not in form("ada", {})
    assert "Your files take 500 of 10,000 MB" in form("ada", {}, room(500))
    assert "alert-warning" not in form("ada", {}, room(500))
    assert "alert-warning" in form("ada", {}, room(9_100))
    assert "make_room" not in form("ada", {}, room(9_100))
    assert 'name="make_room"' in form("ada", {}, room(9_999))
