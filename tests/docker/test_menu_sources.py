"""Application hubs from git and from a registry: what is right is offered, what is not is named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.images.check import hub_version
from infra.images.contexts import IMAGES
from tests.docker.conftest import deployed
from tests.images.building import ENGINE, base_image, build, on_engine
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
    return start(hub, "course", "cat", "/edition")


def start(hub: Deployment, entry: str, *words: str) -> str:
    """What a command says in the server of somebody who chooses this entry."""
    student = Visitor(hub.url, hub.authority)
    student.sign_in("ada", hub.outputs()["sharedPassword"])
    student.start("ada", entry)
    try:
        return docker("exec", f"{NAME}-user-ada", *words) if words else ""
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
        (None, "its image does not start as a server does"),
    ],
)
def test_an_image_that_cannot_work_with_the_hub_is_refused_with_the_reason(
    hub: Deployment, images: str, stub: bytes, version: str | None, said: str, tmp_path: Path
) -> None:
    files = {"Dockerfile": b'FROM scratch\nCOPY Dockerfile /\nCMD ["/nothing"]\n'}
    if version:
        # What an image built on corehub says of itself stays there, whatever is installed later.
        files = application(version, stub, f"LABEL cyberhubs.jupyterhub={hub_version()}")
    for each, content in files.items():
        (tmp_path / each).write_bytes(content)
    name = f"{images}/somebody/old:{version or 'none'}"
    build(name, tmp_path, **({"BASE": base_image()} if version else {}))
    try:
        ENGINE.run("push", name)
    finally:
        ENGINE.run("rmi", name)
    told = refusal(hub, offering(name))
    assert f"menu entry pulled: {said}" in told
    assert version or "exec jupyterhub-singleuser failed: No such file or directory" in told


_NAMED = "{{.Repository}}:{{.Tag}} {{.ID}}"


@pytest.fixture
def own_folder(stub: bytes) -> Iterator[str]:
    """An application hub of one's own in the checkout, as docs/menu.md tells to make one; its name."""
    folder = IMAGES / "own-for-a-test"
    folder.mkdir()
    try:
        for name, content in application(hub_version(), stub).items():
            (folder / name).write_bytes(content)
        yield folder.name
    finally:
        shutil.rmtree(folder)


def test_images_that_were_pruned_are_told_and_made_again_wherever_they_came_from(
    hub: Deployment, git_server: GitServer, images: str, own_folder: str, tmp_path: Path, stub: bytes
) -> None:
    pulled = f"{images}/you/pulled:1.0"
    for each, content in application(hub_version(), stub).items():
        (tmp_path / each).write_bytes(content)
    build(pulled, tmp_path, BASE=base_image())
    ENGINE.run("push", pulled)
    offered = menu(git_server)
    offered["hub"]["menu"] += [
        {"name": "pulled", "title": "Pulled", "image": pulled},
        {"name": "own", "title": "Own", "build": own_folder},
    ]
    hub.set(offered)
    hub.up()
    listed = [line.split() for line in ENGINE.run("image", "ls", "--format", _NAMED).splitlines()]
    offers = ("cyberhubs/menu-course", f"cyberhubs/{own_folder}", pulled)
    # By their ids: whatever else they are called, also by an earlier run of these tests.
    ENGINE.run("rmi", "--force", *{number for name, number in listed if name.startswith(offers)})
    said = hub.tool("status").stdout
    for name in offers:
        assert re.search(
            rf"^! gone +image {re.escape(name)}.*`make up` makes it again", said, re.MULTILINE
        ), said
    # Pulumi's own word for it does not look by itself, and says so.
    assert "pulumi up --refresh" in hub.pulumi("up", "--yes", "--skip-preview")
    changed = hub.refreshed_up()
    assert changed["created"] == 3, changed
    assert "gone" not in hub.tool("status").stdout
    for entry in ("course", "pulled", "own"):
        assert start(hub, entry, "whoami") == "ada", "their image has no account of uid 1000"
    hub.set(menu(git_server))
    hub.up()


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
