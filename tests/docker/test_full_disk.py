"""A data disk that fills up under a hub in use, and what people and their files come to.

In order: each test goes on where the last stopped. The disk is a small one of its own.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Browser, browser
from tests.support.deployment import Deployment, PulumiError, docker

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk to fill")

HUB = {"auth": {"kind": "sharedPassword"}}
DISK_MB = 500

TOLD = "Something went wrong in the hub"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    deployment = Deployment("fulldisk", tmp_path_factory.mktemp("fulldisk"), {"hub": HUB})
    disk = deployment.folder / "disk"
    with disk.open("wb") as file:
        file.truncate(DISK_MB * 1024**2)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(disk)], check=True)
    deployment.data.mkdir()
    subprocess.run(["mount", "-o", "loop", str(disk), str(deployment.data)], check=True)
    try:
        yield deployment
    finally:
        for name in deployment.containers():
            docker("stop", "--time", "5", name)
        subprocess.run(["umount", "--lazy", str(deployment.data)], check=True)
        deployment.clean_up()


@pytest.fixture(scope="module")
def ada(hub: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(hub.url, hub.authority, tmp_path_factory.mktemp("ada")) as opened:
        yield opened


def fill(hub: Deployment, leave_kb: int = 0) -> None:
    """Take all space but so much."""
    room = os.statvfs(hub.data)
    size = room.f_bavail * room.f_frsize - leave_kb * 1024
    words = ["dd", "if=/dev/zero", f"of={hub.data}/ballast", "bs=64k", f"count={size // 65536 + 1000}"]
    subprocess.run(words, capture_output=True, check=False)
    if leave_kb:
        os.truncate(hub.data / "ballast", size)


def free(hub: Deployment) -> None:
    (hub.data / "ballast").unlink()


def test_a_limit_that_this_disk_cannot_keep_is_refused_before_anything_is_made(hub: Deployment) -> None:
    hub.set({"hub": {**HUB, "limits": {"homeGb": 1}}})
    with pytest.raises(PulumiError) as caught:
        hub.up()
    assert "hub.limits.homeGb: needs project quotas" in str(caught.value)
    assert f"{hub.data} (ext4 without prjquota)" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert hub.containers() == []
    hub.set({"hub": HUB})
    hub.up()


def test_whoever_writes_on_a_full_disk_sees_why_not_in_the_notebook(hub: Deployment, ada: Browser) -> None:
    ada.sign_in_with_password("ada", hub.outputs()["sharedPassword"])
    ada.choose("corehub")
    ada.wait_for_lab()
    ada.new_notebook()
    ada.run("open('kept.txt', 'w').write('kept'); print('wr' + 'itten')", expect="written")
    fill(hub)
    ada.run(
        "import subprocess; print(subprocess.run('head -c 99999999 /dev/zero >more', shell=True, "
        "capture_output=True).stderr)",
        expect="No space left on device",
    )
    ada.picture("disk-full")


def test_her_kernel_and_her_files_are_as_they_were(hub: Deployment, ada: Browser) -> None:
    ada.run("print('still', 6 * 7, open('kept.txt').read())", expect="still 42 kept")


def test_somebody_else_is_told_with_numbers_and_the_hub_goes_on(hub: Deployment, tmp_path: Path) -> None:
    free(hub)
    with browser(hub.url, hub.authority, tmp_path) as bob:
        bob.sign_in_with_password("bob", hub.outputs()["sharedPassword"])
        bob.until(lambda: "/hub/spawn" in bob.driver.current_url, "bob is not signed in")
        fill(hub, leave_kb=20_000)
        bob.choose("corehub")
        bob.until(lambda: "The hub's disk is full" in bob.text, "no word of the disk")
        assert " MB of 4" in bob.text, "the numbers are told"
        bob.picture("disk-full-refused")


def test_a_sign_in_on_a_full_disk_ends_with_a_page_and_later_nothing_need_be_restarted(
    hub: Deployment, tmp_path: Path
) -> None:
    fill(hub)
    with browser(hub.url, hub.authority, tmp_path) as cy:
        cy.sign_in_with_password("cy", hub.outputs()["sharedPassword"])
        # The database may have had some room in itself.
        cy.until(lambda: "/hub/spawn" in cy.driver.current_url or TOLD in cy.text, "neither in nor told")
        cy.picture("disk-full-sign-in")
        free(hub)
        if "/hub/spawn" not in cy.driver.current_url:
            cy.sign_in_with_password("cy", hub.outputs()["sharedPassword"])
        cy.until(lambda: "/hub/spawn" in cy.driver.current_url, "cy is not signed in")
    assert (hub.home("ada") / "kept.txt").read_text() == "kept"
    state = docker("inspect", "--format", "{{.State.Status}} {{.RestartCount}}", "fulldisk-hub")
    assert state == "running 0"
