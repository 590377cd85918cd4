"""What servers and hubs answer, as it comes out of the proxy: nothing for others' paths or for strangers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.images.proxies import Edge, edge

PAGES = ("/hub/login", "/hub/home", "/user/ada/lab", "/user/nobody/lab", "/astro/hub/login", "/nonexistent")

PROGRAM = {"Sec_Fetch_Mode": "cors", "Sec_Fetch_Site": "same-origin", "Sec_Fetch_Dest": "empty"}
"""What a browser says of a script's request; a script cannot say otherwise."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with edge("edge-say", tmp_path_factory.mktemp("say"), "astro") as made:
        yield made


def cookies(site: Edge, said: str, path: str = "/user/ada/x") -> list[str]:
    """A cookie that is set there, as a browser gets it."""
    return list(site.ask(f"{path}?Set-Cookie={quote(said, safe='')}").headers.getlist("Set-Cookie"))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("x=1", "x=1; Path=/user/ada/; SameSite=Lax; Secure"),
        ("x=1; Path=/; Domain=localhost", "x=1; Path=/user/ada/; SameSite=Lax; Secure"),
        ("x=1;PATH = /hub/;HttpOnly", "x=1; Path=/user/ada/; SameSite=Lax; Secure;HttpOnly"),
        ("x=1; path=/user/bob/y", "x=1; Path=/user/ada/; SameSite=Lax; Secure; Path=/user/ada/y"),
        ('x="1; Path=/"; Path="/"', 'x="1; Path=/user/ada/; SameSite=Lax; Secure'),
    ],
)
def test_a_servers_cookie_stays_in_its_path(site: Edge, said: str, kept: str) -> None:
    assert cookies(site, said) == [kept]


def test_each_of_several_cookies_stays_there(site: Edge) -> None:
    answer = site.ask("/user/ada/x?Set-Cookie=a%3D1%3BPath%3D/&Set-Cookie=b%3D2%3BPath%3D/hub/")
    assert [each.split("; ")[1] for each in answer.headers.getlist("Set-Cookie")] == ["Path=/user/ada/"] * 2


@pytest.mark.parametrize(
    "name",
    [
        *("Service-Worker-Allowed", "Clear-Site-Data", "Cross-Origin-Opener-Policy", "Alt-Svc"),
        *("Strict-Transport-Security", "Report-To", "Reporting-Endpoints", "Accept-Ch", "X-Accel-Redirect"),
    ],
)
def test_a_server_says_nothing_for_the_whole_site(site: Edge, name: str) -> None:
    assert "evil" not in site.ask(f"/user/ada/x?{name}=evil").headers.get(name, "")
    # The stand-in does say it: it is seen where nobody takes it out.
    assert site.ask("/user/ada/x?X-Told=evil").headers["X-Told"] == "evil"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_what_checkers_look_for_and_no_version(site: Edge, path: str) -> None:
    headers = site.ask(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert not {"Server", "X-JupyterHub-Version", "X-Powered-By"} & set(headers)


@pytest.mark.parametrize("hub", ["", "/astro"])
def test_a_stranger_learns_no_version(site: Edge, hub: str) -> None:
    for path in (f"{hub}/hub/api", f"{hub}/hub/api/", f"{hub}/hub/api?x=1", f"{hub}/user/ada/api"):
        assert site.ask(path).json() == {"version": "hidden"}, path
        assert site.ask(path, Authorization="token known").data == b"hello", path


@pytest.mark.parametrize("hub", ["", "/astro"])
def test_a_hubs_page_is_for_people(site: Edge, hub: str) -> None:
    page = site.ask(f"{hub}/hub/home", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")
    assert page.status == 200
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    for path in ("home", "api/oauth2/authorize", "logo/x", "ap%69/user", "st%61tic/x", "user/ada/api/", ""):
        assert site.ask(f"{hub}/hub/{path}", **PROGRAM).status in {403, 424}, path
    for path in ("api/users/ada", "static/css/style.min.css", "logo", "logo?v=1"):
        assert site.ask(f"{hub}/hub/{path}", **PROGRAM).status == 200, path
    for inside in ("iframe", "frame", "object", "embed", "fencedframe"):
        asked = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": inside}
        assert site.ask(f"{hub}/hub/api/users/ada", **asked).status == 403, inside


def test_a_program_without_a_browser_reads_pages_as_ever(site: Edge) -> None:
    assert site.ask("/hub/home").status == 200


def test_jupyterlab_is_told_that_its_server_has_stopped(site: Edge) -> None:
    answer = site.ask("/user/nobody/api/kernels", **PROGRAM)
    assert answer.status == 424
    assert "not running" in answer.json()["message"]


def test_a_hubs_cookies_are_hidden_from_scripts_and_each_hubs_session_is_its_own(site: Edge) -> None:
    for hub, name in (("", "jupyterhub-session-id"), ("/astro", "jupyterhub-session-id-astro")):
        assert cookies(site, "_xsrf=1", f"{hub}/hub/x") == ["_xsrf=1; SameSite=Lax; Secure; HttpOnly"]
        assert cookies(site, "jupyterhub-session-id=1", f"{hub}/hub/x") == [f"{name}=1; SameSite=Lax; Secure"]


@pytest.mark.parametrize("path", ["/astro/hub/mine", "/astro/user/ada/mine"])
@pytest.mark.parametrize(
    "sent",
    [
        "jupyterhub-session-id=first; jupyterhub-session-id-astro=own; x=1",
        "x=1; jupyterhub-session-id-astro=own; jupyterhub-session-id=first",
        "jupyterhub-session-id=first; x=1",
    ],
)
def test_the_first_hubs_session_reaches_no_other(site: Edge, path: str, sent: str) -> None:
    site.ask(path, Cookie=sent)
    container = "astro-hub" if "/hub/" in path else "astro-user-ada"
    (got,) = [each["cookie"] for each in site.seen(container) if each["path"] == path][-1:]
    assert re.findall(r"session-id=(\w+)", got) == (["own"] if "own" in sent else [])
    assert "x=1" in got
