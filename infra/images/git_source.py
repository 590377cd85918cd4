"""Gets the folders of menu entries that are built from a git repository."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess

import pulumi

from hubconfig.options import GitSource
from infra.images.contexts import CACHE, BuildContext

_GIT_S = 300
"""The longest that git may take for one step; a clone of one commit of a large repository takes a minute."""

_NO_SUCH_REF = 2
"""`git ls-remote --exit-code` when the repository answers and has no such ref."""


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
            _git("init", "--quiet", str(partial))
            _git("-C", str(partial), "fetch", "--quiet", "--depth", "1", str(source.url), commit)
            _git("-C", str(partial), "checkout", "--quiet", "FETCH_HEAD")
            shutil.rmtree(partial / ".git")
            partial.rename(checkout)
    except _GitError as error:
        raise pulumi.RunError(
            f"menu entry {entry}: {source.url} at {source.ref}: {error}\nCorrect git.url or git.ref."
        ) from None
    folder = (checkout / source.folder).resolve()
    if not folder.is_relative_to(checkout.resolve()) or not (folder / "Dockerfile").is_file():
        file = f"{source.folder or '.'}/Dockerfile"
        raise pulumi.RunError(
            f"menu entry {entry}: {source.url} has no {file} at {source.ref}; correct git.folder"
        )
    return BuildContext(name, folder)


def _commit(entry: str, source: GitSource) -> str:
    """The commit that a ref names now, or did when the repository answered last."""
    if re.fullmatch(r"[0-9a-f]{40}", source.ref):
        return source.ref
    last = CACHE / f"ref-{_short_hash(f'{source.url} {source.ref}')}"
    # Whole names: git would also take another branch whose name ends so. ^{} is an annotated tag's commit.
    names = [f"refs/heads/{source.ref}", f"refs/tags/{source.ref}^{{}}", f"refs/tags/{source.ref}"]
    try:
        listed = _git("ls-remote", "--exit-code", str(source.url), *names)
    except _GitError as error:
        if error.code == _NO_SUCH_REF or not last.exists():
            raise
        commit = last.read_text()
        pulumi.log.warn(f"menu entry {entry}: {source.url} does not answer; taking its last {commit[:12]}")
        return commit
    found = {name: commit for commit, name in (line.split("\t") for line in listed.splitlines())}
    commit = next(found[name] for name in names if name in found)
    last.parent.mkdir(exist_ok=True)
    last.write_text(commit)
    return commit


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
