"""Strangers who send much, or slowly, to a hub or to somebody's running server: it does not reach them."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.site.caddyfile import PATIENCE_S
from tests.images.building import anonymous_mb
from tests.images.proxies import Edge, edge

MB = 1_000_000

FAR = 3 * MB
"""More than a stranger may send, and little enough for a test."""


REFUSED = {0, 403, 413}
"""Whoever goes on sending may find the connection closed, without an answer."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with edge("edge-big", tmp_path_factory.mktemp("big")) as made:
        yield made


def chunks(size: int) -> Iterator[bytes]:
    """A body whose length nobody is told."""
    for _ in range(size // 10_000):
        yield b"x" * 10_000


def largest_seen(site: Edge, container: str) -> int:
    return max((each["bytes"] or 0) for each in site.seen(container))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "GET", "DELETE", "PROPFIND", "HEAD"])
@pytest.mark.parametrize("told", [True, False], ids=["of known length", "in pieces"])
@pytest.mark.parametrize("path", ["/user/ada/api/contents/x", "/user/ada", "/user/ada/nonexistent?next=/"])
def test_a_stranger_sends_nothing_large_to_a_users_server(
    site: Edge, method: str, told: bool, path: str
) -> None:
    assert site.send(path, method, b"x" * FAR if told else chunks(FAR)) in REFUSED
    assert largest_seen(site, "user-ada") <= MB


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "jupyterhub-user-ada=forged"},
        {"Authorization": "token forged"},
        {"Content_Type": "multipart/form-data; boundary=x"},
        {"X_HTTP_Method_Override": "GET"},
        {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Site": "same-origin"},
        {"Expect": "100-continue"},
        {"Content_Length": "0003000000"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_no_header_makes_a_stranger_somebody(site: Edge, headers: dict[str, str]) -> None:
    assert site.send("/user/ada/api/contents/x", "POST", b"x" * FAR, **headers) in REFUSED
    assert largest_seen(site, "user-ada") <= MB


def test_what_a_stranger_sends_is_refused_alike_where_no_server_runs(site: Edge) -> None:
    answers = [site.ask(f"/user/{name}/x", "POST", b"x" * FAR) for name in ("ada", "nobody")]
    assert answers[0].status == answers[1].status == 403
    assert answers[0].data == answers[1].data


@pytest.mark.parametrize("path", ["/hub/login", "/hub/api/users", "/", "/user/nobody/x", "/services/x"])
@pytest.mark.parametrize("told", [True, False], ids=["of known length", "in pieces"])
def test_nobody_sends_anything_large_to_a_hub(site: Edge, path: str, told: bool) -> None:
    body = b"x" * FAR if told else chunks(FAR)
    assert site.send(path, "POST", body, Cookie="jupyterhub-hub-login=known") in REFUSED
    assert largest_seen(site, "hub") <= MB


@pytest.mark.parametrize("who", [{"Cookie": "a=known"}, {"Authorization": "token known"}, {}])
@pytest.mark.parametrize("told", [True, False], ids=["of known length", "in pieces"])
def test_somebody_signed_in_uploads_80_mb(site: Edge, who: dict[str, str], told: bool) -> None:
    size = 80 * MB
    path = "/user/ada/api/contents/big" + ("" if who else "?token=known")
    assert site.ask(path, "PUT", b"x" * size if told else chunks(size), **who).status == 200
    assert largest_seen(site, "user-ada") == size


def test_somebody_signed_in_sends_no_more_than_jupyter_takes(site: Edge) -> None:
    size = 600 * MB
    body = chunks(size)
    assert site.send("/user/ada/most", "POST", body, Cookie="a=known", Content_Length=f"{size}") in REFUSED
    assert not any(each["path"] == "/user/ada/most" for each in site.seen("user-ada"))


def test_a_large_body_waits_in_no_memory_of_the_proxys(site: Edge) -> None:
    before = anonymous_mb("edge-big-proxy", "caddy run")
    with ThreadPoolExecutor(4) as threads:
        sent = [
            threads.submit(site.ask, "/user/ada/x", "PUT", chunks(60 * MB), Cookie="a=known") for _ in "1234"
        ]
        assert {each.result().status for each in sent} == {200}
    assert anonymous_mb("edge-big-proxy", "caddy run") - before < 60


def test_a_body_that_drips_ends_and_one_that_takes_its_time_does_not(site: Edge) -> None:
    head = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{}\r\n"
    drip = connected(site, head.format("/hub/login", 5000, ""))
    size = 1_400_000
    slow = connected(site, head.format("/user/ada/slow", size, "Cookie: a=known\r\n"))
    begun, sent = time.monotonic(), 0
    dripped: bytes | None = None
    while sent < size:
        # 20 kB/s: a bad mobile connection, for some 70 s.
        slow.sendall(b"x" * 20_000)
        sent += 20_000
        if dripped is None:
            drip.sendall(b"x")
            dripped = answered(drip)
        time.sleep(1)
    assert dripped, "the drip went on"
    assert b" 200 " not in dripped.split(b"\r\n")[0]
    assert time.monotonic() - begun > PATIENCE_S
    slow.settimeout(30)
    assert slow.recv(12) == b"HTTP/1.1 200"


def connected(site: Edge, head: str) -> ssl.SSLSocket:
    """A connection on which the head of a request has been sent."""
    secure = site.connect()
    secure.sendall(head.encode())
    return secure


def answered(connection: ssl.SSLSocket) -> bytes | None:
    """What has come on a connection; None while nothing has."""
    connection.settimeout(0.05)
    try:
        return connection.recv(4096)
    except TimeoutError:
        return None
