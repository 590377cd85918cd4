"""Somebody who works is told from a page that is merely open."""

from __future__ import annotations

import ast
import io
import sys
import tarfile
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from hubconfig.servers import activity
from hubconfig.servers.activity import MOST, WITHIN_S, Repeats
from hubconfig.servers.put_in import packed

FOLDER = ("GET", "/user/ada/api/contents", {"content": [b"1"]})


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def repeats(clock: Clock) -> Repeats:
    return Repeats(clock)


def test_an_open_page_counts_once_however_long_it_stays_open(clock: Clock, repeats: Repeats) -> None:
    counted = 0
    for second in range(0, 8 * 3600, 10):
        clock.now_s = float(second)
        for method, path, body in (
            ("GET", "/api/kernels", b""),
            ("GET", "/api/contents", b""),
            ("PUT", "/lab/api/workspaces/default", b'{"data": {}}'),
            ("POST", "/git/status", b'{"path": ""}'),
        ):
            counted += repeats.is_new(method, path, {f"{1700000000000 + second}": [b""]}, body)
    assert counted == 4


@pytest.mark.parametrize(
    "work",
    [
        ("GET", "/user/ada/api/contents/papers", {"content": [b"1"]}, b""),
        ("GET", "/user/ada/api/contents", {"content": [b"0"]}, b""),
        ("PUT", "/user/ada/api/contents", {"content": [b"1"]}, b""),
        ("GET", "/user/ada/api/contents", {"content": [b"1"]}, b"{}"),
    ],
    ids=["another folder", "another question", "a save", "another body"],
)
def test_what_was_not_asked_before_counts(repeats: Repeats, work: Any) -> None:
    repeats.is_new(*FOLDER, b"")
    assert repeats.is_new(*work)


def test_each_save_of_a_notebook_that_changes_counts(repeats: Repeats) -> None:
    begin = b"x" * 70_000
    assert all(repeats.is_new("PUT", "/api/contents/a.ipynb", {}, begin + b"y" * n) for n in range(5))


def test_coming_back_after_a_while_counts(clock: Clock, repeats: Repeats) -> None:
    repeats.is_new(*FOLDER, b"")
    clock.now_s = WITHIN_S + 1
    assert repeats.is_new(*FOLDER, b"")


def test_a_page_that_asks_for_ever_new_things_takes_no_more_memory(repeats: Repeats) -> None:
    for number in range(3 * MOST):
        repeats.is_new("GET", f"/{number}", {}, b"")
    assert len(repeats._asked) == MOST


def test_the_server_counts_what_is_new_and_leaves_the_rest_to_jupyters_own_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class APIHandler:
        def __init__(self, path: str) -> None:
            self.request = SimpleNamespace(method="GET", path=path, query_arguments={}, body=b"")

        def update_api_activity(self) -> None:
            counted.append(self.request.path)

    counted: list[str] = []
    module = ModuleType("jupyter_server.base.handlers")
    module.APIHandler = APIHandler  # type: ignore[attr-defined] # a stand-in for the user's own
    for name in ("jupyter_server", "jupyter_server.base"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "jupyter_server.base.handlers", module)
    ((path, content),) = activity.as_configuration().items()
    exec(compile(content, path, "exec"), {"__name__": "configuration", "__file__": activity.__file__})
    for asked in ("/api/kernels", "/api/kernels", "/api/contents", "/api/kernels"):
        APIHandler(asked).update_api_activity()
    assert counted == ["/api/kernels", "/api/contents"]


def test_a_users_server_finds_it_before_what_its_image_says() -> None:
    ((path, content),) = activity.as_configuration().items()
    with tarfile.open(fileobj=io.BytesIO(packed({}, {path: content}))) as archive:
        (entry,) = archive
    assert (f"/{entry.name}", entry.uid, entry.mode & 0o022) == (path, 0, 0)
    assert activity.environment(["A=b"]) == {"JUPYTER_CONFIG_PATH": "/srv/jupyter"}
    theirs = ["JUPYTER_CONFIG_PATH=/opt/theirs"]
    assert activity.environment(theirs) == {"JUPYTER_CONFIG_PATH": "/srv/jupyter:/opt/theirs"}


def test_it_needs_nothing_of_the_hubs_in_a_users_server() -> None:
    (content,) = activity.as_configuration().values()
    text = content.decode()
    imported = {
        node.module.split(".")[0] if isinstance(node, ast.ImportFrom) and node.module else name.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported - set(sys.stdlib_module_names) == {"jupyter_server"}
