"""Short-lived credentials for git, as a user gets them in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.engine import EngineError
from tests.images.building import (
    DROPPED,
    image,
    inside,
    network,
    refusal,
    running,
)
from tests.support.authority import pair
from tests.support.git_server import git, serving
from tests.support.github import CLIENT_ID, GitHub


def test_short_lived_git_credentials_are_only_where_the_administrator_wants_them() -> None:
    said = refusal(image("corehub"), "gh-scoped-creds")
    assert "GH_SCOPED_CREDS_CLIENT_ID environment variable must be set" in said


GITHUB_SUBNET, GITHUB = "10.120.8.0/24", "10.120.8.1"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """GitHub as a container on its network sees it, with a repository."""
    with network("images-github", "--subnet", GITHUB_SUBNET):
        certificate = pair(tmp_path, "github", "github.com")
        server = GitHub(tmp_path / "git", GITHUB)
        server.repository("ada/work", {"notes.md": b"# Notes\n"})
        with serving(server, certificate):
            yield server


@pytest.fixture
def terminal(github: GitHub, tmp_path: Path) -> Iterator[str]:
    """A terminal in corehub, on a hub whose administrator has set gitCredentialsClientId."""
    assert github
    authority = "/github.crt"
    words = ["--network", "images-github", "--add-host", f"github.com:{GITHUB}", *DROPPED]
    words += ["--volume", f"{tmp_path / 'github.crt'}:{authority}:ro"]
    for variable in ("REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"):
        words += ["--env", f"{variable}={authority}"]
    words += ["--env", f"GH_SCOPED_CREDS_CLIENT_ID={CLIENT_ID}"]
    with running("images-terminal", *words, image("corehub"), "sleep", "600") as container:
        yield container


def test_from_a_terminal_one_clones_commits_and_pushes_with_credentials_that_end(
    github: GitHub, terminal: str
) -> None:
    def typed(line: str) -> str:
        return inside(terminal, "bash", "-lc", line)

    typed("git clone --quiet https://github.com/ada/work.git && cat work/notes.md")
    typed("git config --global user.name Ada && git config --global user.email ada@example.org")
    typed("cd work && echo more >>notes.md && git commit --quiet --all --message 'More notes'")
    with pytest.raises(EngineError):
        typed("cd work && GIT_TERMINAL_PROMPT=0 git push --quiet")
    told = typed("gh-scoped-creds")
    assert "https://github.com/login/device and enter the code: ABCD-1234" in told
    assert "expire in 8.0 hours" in told
    typed("cd work && git push --quiet")
    assert git("-C", str(github.root / "ada/work.git"), "log", "-1", "--format=%an %s", "main") == (
        "Ada More notes"
    )
    assert github.password
    # The home outlives the server; the credentials must not.
    with pytest.raises(EngineError):
        typed(f"grep --recursive --quiet {github.password} ~")
