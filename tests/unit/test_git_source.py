"""Application hubs from git: what people have in their repositories is fetched, or told in words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest
from pydantic import ValidationError

from hubconfig.options import GitSource
from infra.images import git_source
from infra.images.contexts import BuildContext, tidy
from infra.images.git_source import git_context
from tests.support.git_server import IDENTITY, GitServer, commit, git, serving

FILES = {"docker/Dockerfile": b"FROM scratch\n", "docker/notes.txt": b"hello"}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    monkeypatch.setattr(git_source, "CACHE", tmp_path / "cache")
    (tmp_path / "git").mkdir()
    with serving(GitServer(tmp_path / "git")) as one:
        yield one


def context(
    server: GitServer, name: str = "course", folder: str = "docker", ref: str = "main"
) -> BuildContext:
    url = f"{server.url}/{name}.git"
    return git_context(
        "menu-course", "course", GitSource.model_validate({"url": url, "folder": folder, "ref": ref})
    )


def refusal(server: GitServer, **where: str) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        context(server, **where)
    return str(caught.value)


def add_submodule(work: Path, url: str, path: str, commit_: str) -> None:
    (work / ".gitmodules").write_text(f'[submodule "lib"]\n\tpath = {path}\n\turl = {url}\n')
    git("-C", str(work), "update-index", "--add", "--cacheinfo", f"160000,{commit_},{path}")
    git("-C", str(work), "add", ".gitmodules")
    git("-C", str(work), *IDENTITY, "commit", "--quiet", "--message", "A submodule")
    git("-C", str(work), "push", "--quiet", "origin", "HEAD")


@pytest.mark.parametrize(
    "spelling", ["../lib.git", "{root}/lib.git", "git@127.0.0.1:lib.git", "ssh://git@127.0.0.1/lib.git"]
)
def test_submodules_come_along(server: GitServer, spelling: str) -> None:
    lib = server.repository("lib", {"tool.py": b"print('hi')\n"})
    work = server.repository("course", FILES)
    add_submodule(
        work, spelling.format(root=server.url), "docker/lib", git("-C", str(lib), "rev-parse", "HEAD")
    )
    folder = context(server).folder
    assert (folder / "lib" / "tool.py").read_text() == "print('hi')\n"
    assert not [*folder.parent.rglob(".git")], "what git notes for itself would make another image each time"


def test_a_submodule_at_an_older_commit_and_one_inside_it_come_along(server: GitServer) -> None:
    inner = server.repository("inner", {"data.csv": b"1,2\n"})
    lib = server.repository("lib", {"tool.py": b"old"})
    add_submodule(lib, "../inner.git", "inner", git("-C", str(inner), "rev-parse", "HEAD"))
    old = git("-C", str(lib), "rev-parse", "HEAD")
    commit(lib, {"tool.py": b"new"}, push=True)
    work = server.repository("course", FILES)
    add_submodule(work, "../lib.git", "docker/lib", old)
    folder = context(server).folder
    assert (folder / "lib/tool.py").read_text() == "old"
    assert (folder / "lib/inner/data.csv").read_text() == "1,2\n"


@pytest.mark.parametrize("url", ["../secret.git", "file:///etc"])
def test_a_submodule_that_cannot_be_had_is_named(server: GitServer, url: str, tmp_path: Path) -> None:
    work = server.repository("course", FILES)
    add_submodule(work, url, "docker/lib", "1" * 40)
    said = refusal(server)
    assert "menu entry course" in said
    assert "its submodules cannot be had" in said
    assert "docker/lib" in said
    assert not [*(tmp_path / "cache").glob("git-*")], "half of it would be taken for all of it next time"


def test_a_short_commit_at_a_tip_is_understood_and_an_older_one_told(server: GitServer) -> None:
    work = server.repository("course", FILES)
    first = git("-C", str(work), "rev-parse", "HEAD")
    second = commit(work, {"docker/notes.txt": b"changed"}, push=True)
    assert (context(server, ref=second[:9]).folder / "notes.txt").read_text() == "changed"
    assert (context(server, ref=second.upper()).folder / "notes.txt").read_text() == "changed"
    assert (context(server, ref=first).folder / "notes.txt").read_text() == "hello"
    said = refusal(server, ref=first[:9])
    assert "needs its 40 digits" in said
    assert first[:9] in said


def test_a_branch_that_looks_like_a_commit_is_a_branch(server: GitServer) -> None:
    work = server.repository("course", FILES)
    git("-C", str(work), "push", "--quiet", "origin", "HEAD:refs/heads/c0ffee")
    assert (context(server, ref="c0ffee").folder / "notes.txt").exists()


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"docker/Dockerfile": b""}, "It has docker/Dockerfile"),
        ({"dockerfile": b""}, "It has dockerfile; a file of another name"),
        ({"Containerfile": b"", "a/web.Dockerfile": b""}, "It has Containerfile, a/web.Dockerfile"),
        ({"README.md": b"none"}, "it has none in any folder"),
    ],
)
def test_where_the_dockerfiles_are_is_told_when_there_is_none_in_the_folder(
    server: GitServer, files: dict[str, bytes], told: str
) -> None:
    server.repository("course", files)
    said = refusal(server, folder="")
    assert "has no ./Dockerfile at main; correct git.folder" in said
    assert told in said


def test_a_repository_that_is_not_there_is_told_in_gits_words(server: GitServer) -> None:
    said = refusal(server, name="nothing")
    assert f"menu entry course: {server.url}/nothing.git at main" in said
    assert "not found" in said


@pytest.mark.parametrize("url", ["https://me:TOKEN@host/x.git", "https://TOKEN@host/x.git"])
def test_a_token_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        GitSource.model_validate({"url": url})
    assert "holds a name or a token" in str(caught.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    ("dockerfile", "wants"),
    [
        ("ARG COREHUB\nFROM $COREHUB\n", {"COREHUB"}),
        ("arg COREHUB=cyberhubs/corehub\nfrom $COREHUB\n", {"COREHUB"}),
        ("  Arg\tBASE COREHUB=x\r\nFROM $BASE\r\n", {"BASE", "COREHUB"}),
        ("ARG A=1 \\\n    COREHUB\nFROM $COREHUB\n", {"A", "COREHUB"}),
        ("# ARG BASE\nFROM x\nRUN echo ARG BASE\n", set()),
        ("\ufeffARG BASE\nFROM $BASE\n", {"BASE"}),
    ],
)
def test_what_a_dockerfile_wants_is_found_however_it_is_written(
    tmp_path: Path, dockerfile: str, wants: set[str]
) -> None:
    (tmp_path / "Dockerfile").write_text(dockerfile, newline="")
    assert BuildContext("x", tmp_path).wants == wants


def test_a_checkout_that_an_update_uses_is_not_taken_for_one_that_nobody_needs(server: GitServer) -> None:
    server.repository("course", FILES)
    checkout = context(server).folder.parent
    os.utime(checkout, (0, 0))
    context(server)
    tidy(checkout.parent)
    assert checkout.exists()
