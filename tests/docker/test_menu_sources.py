"""Application hubs from git and from a registry: what is right is offered, what is not is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.images.check import hub_version
from tests.docker.conftest import deployed
from tests.images.building import ENGINE, on_engine
from tests.images.remotes import registry
from tests.support.deployment import Deployment, PulumiError, docker
from tests.support.git_server import GitServer, application, commit, git
from tests.support.ports import free_ports
from tests.support.visitor import Visitor

NAME = "sources"


def menu(server: GitServer, **more: Any) -> dict[str, Any]:
    """A menu with one entry from the git repository."""
    source = {"url": f"{server.url}/course.git", "folder": "docker", **more}
    entry = {"name": "course", "title": "The course's own", "git": source}
    return {"hub": {"auth": {"kind": "sharedPassword"}, "menu": [entry]}}


def in_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"docker/{name}": content for name, content in files.items()}


@pytest.fixture(scope="module")
def course(git_server: GitServer, stub: bytes) -> Path:
    """The repository that a teacher works in."""
    work = git_server.repository(
        "course", in_folder(application(hub_version(), stub, "RUN echo 1 >/edition"))
    )
    # A branch whose name ends like the right one's, and that stands before it in every list.
    git("-C", str(work), "checkout", "--quiet", "-b", "a/main")
    commit(work, {"docker/Dockerfile": b"FROM nothing-of-the-kind\n"}, push=True)
    git("-C", str(work), "checkout", "--quiet", "main")
    return work


@pytest.fixture(scope="module")
def hub(
    git_server: GitServer, course: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    assert course
    with deployed(NAME, tmp_path_factory.mktemp(NAME), menu(git_server)) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry's address."""
    (port,) = free_ports(1)
    with registry("sources-registry", port):
        yield f"127.0.0.1:{port}"


def edition(hub: Deployment) -> str:
    """What somebody gets who starts the course's hub now."""
    student = Visitor(hub.url, hub.authority)
    student.sign_in("ada", hub.outputs()["sharedPassword"])
    student.start("ada", "course")
    try:
        return docker("exec", f"{NAME}-user-ada", "cat", "/edition")
    finally:
        docker("rm", "--force", f"{NAME}-user-ada")


def refusal(hub: Deployment, settings: dict[str, Any]) -> str:
    """What `up` says of settings that cannot be; the hub that is there goes on."""
    hub.set(settings)
    with pytest.raises(PulumiError) as caught:
        hub.up()
    assert "Traceback" not in str(caught.value)
    assert hub.containers("hub")
    return str(caught.value)


def test_an_application_hub_is_built_from_the_branch_of_a_git_repository(hub: Deployment) -> None:
    assert edition(hub) == "1"


def test_a_second_up_builds_nothing(hub: Deployment) -> None:
    assert set(hub.up()) == {"unchanged"}


def test_a_branch_that_moved_is_built_anew(
    hub: Deployment, git_server: GitServer, course: Path, stub: bytes
) -> None:
    second = application(hub_version(), stub, "RUN echo 2 >/edition")
    git("-C", str(course), "tag", "--annotate", "--message", "The first", "v1")
    git("-C", str(course), "push", "--quiet", "origin", "v1")
    commit(course, in_folder(second), push=True)
    hub.up()
    assert edition(hub) == "2"


def test_while_the_repository_does_not_answer_its_last_state_is_kept(
    hub: Deployment, git_server: GitServer
) -> None:
    git_server.silent = True
    try:
        printed = hub.pulumi("up", "--yes", "--skip-preview")
    finally:
        git_server.silent = False
    assert "does not answer; taking its last" in printed


def test_another_ref_is_built_anew(hub: Deployment, git_server: GitServer) -> None:
    hub.set(menu(git_server, ref="v1"))
    hub.up()
    assert edition(hub) == "1"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ref": "v9"}, "there is no such branch or tag"),
        ({"ref": "0" * 40}, "Correct git.url or git.ref"),
        ({"folder": "elsewhere"}, "has no elsewhere/Dockerfile at main; correct git.folder"),
        ({"folder": "docker/../../.."}, "/Dockerfile at main; correct git.folder"),
    ],
)
def test_what_git_cannot_get_is_told_with_the_entrys_name(
    hub: Deployment, git_server: GitServer, wrong: dict[str, str], said: str
) -> None:
    told = refusal(hub, menu(git_server, **wrong))
    assert f"menu entry course: {git_server.url}/course.git" in told
    assert said in told


def offering(image: str) -> dict[str, Any]:
    """A menu with one image by name."""
    entry = {"name": "pulled", "title": "Pulled", "image": image}
    return {"hub": {"auth": {"kind": "sharedPassword"}, "menu": [entry]}}


def test_an_image_that_does_not_exist_is_named(hub: Deployment, images: str) -> None:
    told = refusal(hub, offering(f"{images}/nobody/nothing:1"))
    assert "image-menu-pulled" in told
    assert f"{images}/nobody/nothing:1" in told


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("4.0.2", f"its image has JupyterHub 4.0.2, which cannot work with the hub's {hub_version()}"),
        (None, "its image does not start jupyterhub-singleuser"),
    ],
)
def test_an_image_that_cannot_work_with_the_hub_is_refused_with_the_reason(
    hub: Deployment, images: str, version: str | None, said: str, tmp_path: Path
) -> None:
    label = f"LABEL cyberhubs.jupyterhub={version}\n" if version else ""
    (tmp_path / "Dockerfile").write_text(f'FROM scratch\nCOPY Dockerfile /\n{label}CMD ["/nothing"]\n')
    name = f"{images}/somebody/old:{version or 'none'}"
    ENGINE.run("build", "--tag", name, str(tmp_path))
    try:
        ENGINE.run("push", name)
    finally:
        ENGINE.run("rmi", name)
    told = refusal(hub, offering(name))
    assert f"menu entry pulled: {said}" in told


def test_an_image_is_published_in_one_command_and_offered_by_its_name_elsewhere(
    hub: Deployment, git_server: GitServer, images: str
) -> None:
    hub.set(menu(git_server))
    hub.up()
    name = f"{images}/you/course:1.0"
    done = hub.tool("publish", APP="course", AS=name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"image: {name}" in done.stdout
    ENGINE.run("rmi", name)
    entry = {"name": "course", "title": "From the registry", "image": name}
    hub.set({"hub": {"auth": {"kind": "sharedPassword"}, "menu": [entry]}})
    hub.up()
    assert on_engine(name)
    assert edition(hub) == "2"


def test_what_cannot_be_published_is_told(hub: Deployment) -> None:
    assert "they offer course" in hub.tool("publish", APP="curse", AS="you/course:1").stderr
    assert "make publish APP=" in hub.tool("publish", APP="course", AS="course").stderr
    (closed,) = free_ports(1)
    told = hub.tool("publish", APP="course", AS=f"127.0.0.1:{closed}/course:1")
    assert re.search(rf"not published.*docker login 127.0.0.1:{closed}", told.stderr, re.DOTALL)
    ENGINE.run("rmi", f"127.0.0.1:{closed}/course:1")
