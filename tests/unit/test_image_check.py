"""Images that cannot work with the hub are refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest

from hubconfig import labels
from hubconfig.options import Application
from infra.engine import Engine, EngineError, MissingError, UnreachableError
from infra.images import check, trial
from infra.images.trial import mismatch, version_in

HOME = "/home/user"


class OneImage(Engine):
    """An engine with one image, which does as it is told."""

    def __init__(self, *, said: str = "6.1.1", code: int = 0, entrypoint: Sequence[str] = ()) -> None:
        super().__init__()
        self.__dict__.update(said=said, code=code, entrypoint=list(entrypoint), asked=[], gone=False)

    def run(self, *words: str, seconds: int = 0, text: str | None = None) -> str:
        known = self.__dict__
        known["asked"].append(words)
        match words:
            case ("image", "inspect", *_):
                if known["gone"]:
                    raise MissingError("Error: No such image: sha256:abc")
                config = {"Entrypoint": known["entrypoint"], "Env": ["PATH=/home/user/bin:/usr/bin"]}
                return json.dumps({"Config": config, "Architecture": "amd64"})
            case ("inspect", *_):
                failed = any("no-such-program" in word for word in self.ran()[-1])
                return f"exited {127 if failed else known['code']}"
            case ("logs", *_):
                return str(known["said"])
            case ("version", *_):
                return "amd64"
            case ("ps", *_):
                return "cyberhubs-trial-left" if f"label={labels.TRIAL}=s" in words else ""
            case ("rm", *_):
                return ""
        raise AssertionError(words)

    def run_with_file(self, content: str, *words: str) -> str:
        assert "SCMP_ACT_ERRNO" in content
        self.__dict__["asked"].append(words)
        return "id"

    def ran(self) -> list[Sequence[str]]:
        return [words for words in self.__dict__["asked"] if words[0] == "run"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(check, "CACHE", tmp_path)
    return tmp_path


@pytest.mark.parametrize("application", ["6.1.1", "6.0.0", "6.2.0b1"])
def test_an_image_of_the_same_major_version_works(application: str) -> None:
    assert mismatch("6.1.1", application) is None


@pytest.mark.parametrize("application", ["1.3.0", "5.5.4", "7.0.0"])
def test_an_image_of_another_major_version_is_refused_with_the_way_out(application: str) -> None:
    complaint = mismatch("6.1.1", application)
    assert complaint is not None
    assert application in complaint
    assert "jupyterhub==6.1.1" in complaint


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("6.1.1", "6.1.1"),
        ("UserWarning: 2.31.0\n/opt/x.py:12: old\n6.1.1\n", "6.1.1"),
        ("6.1.1\ns6-rc: info: service legacy-services: stopping", "6.1.1"),
        ("6.2.0.dev0\r\n", "6.2.0.dev0"),
        ("5.0.0b2", "5.0.0b2"),
        ("jupyter lab 4.4.1 on port 8888", None),
        ("", None),
    ],
)
def test_the_version_is_the_line_that_is_nothing_else(said: str, version: str | None) -> None:
    assert version_in(said) == version


def test_an_image_is_tried_as_a_server_runs_and_once() -> None:
    engine = OneImage()
    assert check.complaint_of(engine, "sha256:abc", HOME, "s") is None
    tried, other = engine.ran()
    for words in (tried, other):
        line = " ".join(words)
        for right in ("--user 1000:100", "--cap-drop ALL", "no-new-privileges", "seccomp=", "--init"):
            assert right in line
        assert "--entrypoint" not in words
        assert f"HOME={HOME}" in words
        assert "PATH=/usr/bin" in words, "what a user may write is not on a server's PATH"
    assert tried[-3:] == ("sha256:abc", "jupyterhub-singleuser", "--version")
    assert check.complaint_of(engine, "sha256:abc", HOME, "s") is None
    assert len(engine.ran()) == 2
    check.complaint_of(engine, "sha256:abc", "/home/jovyan", "s")
    assert len(engine.ran()) == 4, "another home may hide what it needs"


def test_what_a_broken_off_trial_left_is_removed_by_the_next() -> None:
    engine = OneImage()
    check.complaint_of(engine, "sha256:abc", HOME, "s")
    words = engine.__dict__["asked"]
    removed = words.index(("rm", "--force", "--volumes", "cyberhubs-trial-left"))
    assert removed < words.index(engine.ran()[0])
    assert all(f"{labels.TRIAL}=s" in ran for ran in engine.ran())


def test_what_was_refused_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = OneImage(said="5.4.1")
    for _ in range(2):
        assert "JupyterHub 5.4.1" in (check.complaint_of(engine, "sha256:abc", HOME, "s") or "")
    assert len(engine.ran()) == 4


@pytest.mark.parametrize("tried_before", [True, False])
def test_an_image_that_somebody_removed_is_told_with_what_makes_it_again(*, tried_before: bool) -> None:
    engine = OneImage()
    if tried_before:
        check.complaint_of(engine, "sha256:abc", HOME, "s")
    engine.__dict__["gone"] = True
    with pytest.raises(
        MissingError, match=r"`make up`, or `pulumi up --refresh`, makes it again.*No such image"
    ):
        check.complaint_of(engine, "sha256:abc", HOME, "s")


def test_what_an_image_says_cannot_paint_the_terminal() -> None:
    engine = OneImage(said="\x1b[31mred\x1b[0m\x07\nTraceback", code=1)
    said = trial.complaint(engine, "sha256:abc", HOME, "6.1.1", "s") or ""
    assert "    red\n    Traceback" in said
    assert "\x1b" not in said


class Refusing(OneImage):
    """An engine that starts no container, or is away."""

    def __init__(self, error: EngineError) -> None:
        super().__init__()
        self.__dict__["error"] = error

    def run(self, *words: str, seconds: int = 0, text: str | None = None) -> str:
        if words[0] == "rm":
            raise MissingError("No such container")
        return super().run(*words)

    def run_with_file(self, content: str, *words: str) -> str:
        raise self.__dict__["error"]


def test_dockers_own_words_are_passed_on() -> None:
    engine = Refusing(EngineError("OCI runtime create failed: exec: no such file or directory: unknown."))
    said = trial.complaint(engine, "sha256:abc", HOME, "6.1.1", "s") or ""
    assert "OCI runtime create failed: exec: no such file or directory" in said
    assert "nstall jupyterhub==6.1.1 and jupyterlab" in said


def test_a_machine_that_is_away_is_not_the_images_fault() -> None:
    with pytest.raises(UnreachableError):
        trial.complaint(Refusing(UnreachableError("gone")), "sha256:abc", HOME, "6.1.1", "s")


def test_an_engine_that_goes_away_is_told_without_a_traceback() -> None:
    class Gone(OneImage):
        def run(self, *words: str, seconds: int = 0, text: str | None = None) -> str:
            if words[0] == "rm":
                raise EngineError("Cannot connect to the Docker daemon at unix:///var/run/docker.sock")
            return super().run(*words)

    class Docked:
        stack = "s"

        def once(self, image: str, act: Callable[[Engine, str], str], _: object) -> str:
            return act(Gone(), image)

    entry = Application(name="course", title="C", image="you/course:1")
    with pytest.raises(
        pulumi.RunError, match="menu entry course cannot be tried: Cannot connect to the Docker"
    ):
        check.checked(entry, cast("Any", "sha256:abc"), cast("Any", Docked()))
