"""Gets the folders of menu entries that are built from a git repository."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pulumi

from hubconfig.options import GitSource
from infra.images.contexts import CACHE, BuildContext

_GIT_S = 300
"""The longest that git may take for one step; a clone of one commit of a large repository takes a minute."""

_NO_SUCH_REF = 2
"""`git ls-remote --exit-code` when the repository answers and has no such ref."""


_DOCKERFILE: Final = re.compile(r"(.+\.)?(dockerfile|containerfile)(\..+)?", re.IGNORECASE)

_SHOWN: Final = 5


class _GitError(Exception):
    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.code = code


def git_context(name: str, entry: str, source: GitSource) -> BuildContext:
    """A repository's folder, fetched once for each commit.

    Branches and tags are looked up at each run, so that one that has moved is built anew. While the
    repository does not answer, the commit that it had at the last run counts, with a warning.

    :param name: what the image is called.
    :param entry: the menu entry's name.

    Raises pulumi.RunError, naming the entry, when git cannot get it or there is no Dockerfile.
    """
    try:
        commit = _commit(entry, source)
        checkout = CACHE / f"git-{_short_hash(f'{source.url} {commit}')}"
        if not checkout.exists():
            partial = checkout.with_suffix(f".{os.getpid()}")
            try:
                _fetch(str(source.url), commit, partial)
                partial.rename(checkout)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    except _GitError as error:
        raise pulumi.RunError(
            f"menu entry {entry}: {source.url} at {source.ref}: {error}\nCorrect git.url or git.ref."
        ) from None
    os.utime(checkout)  # as used, see `contexts.tidy`
    folder = (checkout / source.folder).resolve()
    if not folder.is_relative_to(checkout.resolve()) or not (folder / "Dockerfile").is_file():
        file = f"{source.folder or '.'}/Dockerfile"
        raise pulumi.RunError(
            f"menu entry {entry}: {source.url} has no {file} at {source.ref}; correct git.folder"
            f"{_dockerfiles(checkout)}"
        )
    return BuildContext(name, folder)


def _dockerfiles(checkout: Path) -> str:
    """A sentence that says where a repository has its Dockerfiles."""
    named = (path for path in checkout.rglob("*") if _DOCKERFILE.fullmatch(path.name) and path.is_file())
    found = sorted(str(path.relative_to(checkout)) for path in named)
    if not found:
        return " (it has none in any folder)"
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f". It has {', '.join(found[:_SHOWN])}{more}; a file of another name than Dockerfile is not taken"


def _fetch(url: str, commit: str, folder: Path) -> None:
    """Get a commit's files, those of its submodules too, and nothing else. Raises _GitError."""
    _git("init", "--quiet", str(folder))
    _git("-C", str(folder), "remote", "add", "origin", url)
    _git("-C", str(folder), "fetch", "--quiet", "--depth", "1", "origin", commit)
    _git("-C", str(folder), "checkout", "--quiet", "FETCH_HEAD")
    if (folder / ".gitmodules").exists():
        try:
            update = ("submodule", "--quiet", "update", "--init", "--recursive", "--depth", "1")
            _git("-C", str(folder), *_by_http(url), *update)
        except _GitError as error:
            raise _GitError(f"its submodules cannot be had: {error}") from None
    for path in sorted(folder.rglob(".git")):  # of submodules they are files
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _by_http(url: str) -> list[str]:
    """Git's settings by which submodules of the same host, named for people with a key, need none."""
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}/"
    ways = (f"git@{parts.hostname}:", f"ssh://git@{parts.hostname}/", f"git://{parts.hostname}/")
    return [word for way in ways for word in ("-c", f"url.{root}.insteadOf={way}")]


def _commit(entry: str, source: GitSource) -> str:
    """The commit that a ref names now, or did when the repository answered last."""
    if re.fullmatch(r"[0-9a-fA-F]{40}", source.ref):
        return source.ref.lower()
    last = CACHE / f"ref-{_short_hash(f'{source.url} {source.ref}')}"
    # Whole names: git would also take another branch whose name ends so. ^{} is an annotated tag's commit.
    names = [f"refs/heads/{source.ref}", f"refs/tags/{source.ref}^{{}}", f"refs/tags/{source.ref}"]
    try:
        listed = _git("ls-remote", "--exit-code", str(source.url), *names)
    except _GitError as error:
        if error.code == _NO_SUCH_REF and re.fullmatch(r"[0-9a-fA-F]{4,39}", source.ref):
            return _whole(source)
        if error.code == _NO_SUCH_REF or not last.exists():
            raise
        commit = last.read_text()
        os.utime(last)
        pulumi.log.warn(f"menu entry {entry}: {source.url} does not answer; taking its last {commit[:12]}")
        return commit
    found = {name: commit for commit, name in (line.split("\t") for line in listed.splitlines())}
    commit = next(found[name] for name in names if name in found)
    last.parent.mkdir(exist_ok=True)
    last.write_text(commit)
    return commit


def _whole(source: GitSource) -> str:
    """The commit whose first digits a ref is, of those at which a branch or a tag is. Raises _GitError."""
    short = source.ref.lower()
    listed = _git("ls-remote", str(source.url)).splitlines()
    commits = {line.split("\t")[0] for line in listed}
    found = sorted(commit for commit in commits if commit.startswith(short))
    if len(found) == 1:
        return found[0]
    raise _GitError(
        f"there is no branch or tag of this name. If it is a commit, git.ref needs its 40 digits "
        f"(`git rev-parse {short}` in a clone, or the page of the commit, tells them)"
    )


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words],
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_GIT_S,
            check=False,
        )
    except FileNotFoundError:
        raise _GitError("the program git is not installed; install it") from None
    except subprocess.TimeoutExpired:
        raise _GitError(f"git did not end within {_GIT_S} s") from None
    if done.returncode != 0:
        raise _GitError(done.stderr.strip() or "there is no such branch or tag", done.returncode)
    return done.stdout


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
