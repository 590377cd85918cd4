"""What is put on a machine for its disks: limits of homes, backups, folders of other machines."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
import pytest

from hubconfig.container import CODE
from infra.checks import home_limits, spaces
from infra.handed_over.ssh_key import ssh_key
from infra.machine.filesystem import Filesystem, mount_of
from tests.unit.engine import Run
from tests.unit.local_site import COUNTING, LIMITED, containers, deploy, envelope_free
from tests.unit.test_handed_over import handed


def test_a_backup_reads_all_and_its_password_is_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = deploy(
        monkeypatch,
        tmp_path,
        {"backup": {"repository": "s3:https://s3.example.org/b"}},
        secrets={"backupPassword": "BACKUP-PASSWORD", "backupCredentials": "AWS_SECRET_ACCESS_KEY=HIDDEN"},
    )
    backup = containers(site)["backup"]
    assert {volume["containerPath"] for volume in backup.inputs["volumes"]} == {"/data"}
    assert "BACKUP-PASSWORD" not in envelope_free(site)
    assert "HIDDEN" not in envelope_free(site)


PLAIN = Filesystem("ext4", frozenset({"rw"}))


def test_homes_are_limited_by_a_container_that_can_do_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(home_limits, "filesystem", lambda _: COUNTING)
    course = {"auth": {"kind": "sharedPassword"}, "limits": {"homeGb": 0.5}}
    lab = {"auth": {"kind": "sharedPassword"}}
    site = deploy(monkeypatch, tmp_path, {**LIMITED, "hubs": {"course": course, "lab": lab}})
    one = containers(site)["home-limits"].inputs
    assert one["networkMode"] == "none"
    assert one["command"] == ["/homes/course=0.5", "/homes/hub=20"]
    mounts = {volume["containerPath"]: volume["hostPath"] for volume in one["volumes"]}
    assert mounts == {
        "/homes/course": f"{tmp_path}/data/cyberhub/course/jupyterhub_users",
        "/homes/hub": f"{tmp_path}/data/jupyterhub_users",
    }
    files = {upload["file"].rpartition("/")[2] for upload in one["uploads"]}
    assert files == {"limits.py", "projects.py", "tree.py"}
    others = {name: each for name, each in containers(site).items() if name != "home-limits"}
    for name, each in others.items():
        assert "CAP_SYS_ADMIN" not in each.inputs["capabilities"]["adds"], name


def test_a_disk_that_cannot_limit_homes_is_told_with_all_other_faults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(home_limits, "filesystem", lambda _: PLAIN)
    colour = {**LIMITED["hub"], "menu": [{"name": "x", "title": "X", "build": "nothing-here"}]}
    with pytest.raises(pulumi.RunError) as caught:
        deploy(monkeypatch, tmp_path, {"hub": colour, "hubs": {"course": LIMITED["hub"]}})
    told = str(caught.value)
    assert "hub.limits.homeGb: needs project quotas" in told
    assert "hubs.course.limits.homeGb: needs project quotas" in told
    assert f"{tmp_path}/data (ext4 without prjquota)" in told
    assert "or remove homeGb" in told
    assert "hub.menu[0].build" in told


def test_where_the_system_cannot_say_the_container_will(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(home_limits, "filesystem", lambda _: None)
    assert "home-limits" in containers(deploy(monkeypatch, tmp_path, LIMITED))


@pytest.mark.parametrize("where", ["cyberhub/backups", "jupyterhub_users", "user/backups"])
def test_a_backup_into_what_is_backed_up_is_refused(
    where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inside = {"backup": {"repository": f"{tmp_path}/data/{where}"}}
    with pytest.raises(pulumi.RunError, match=r"backup\.repository: is inside .*; name a folder elsewhere"):
        deploy(monkeypatch, tmp_path, inside)


def test_a_backup_beside_what_is_backed_up_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    site = deploy(monkeypatch, tmp_path, {"backup": {"repository": f"{tmp_path}/data/backups"}})
    mounted = {
        volume["containerPath"]: volume["hostPath"] for volume in containers(site)["backup"].inputs["volumes"]
    }
    assert mounted == {"/data": f"{tmp_path}/data", "/repository": f"{tmp_path}/data/backups"}


ARCHIVE = {
    "kind": "sshfs",
    "name": "archive",
    "remote": "me@archive.example.org:/data",
    "hostKey": handed("host-key", "alone"),
    "mount": "/archive",
}


KEY = ssh_key(handed("ssh-key", "as-ssh-keygen-writes-it"))
KEYS = json.dumps({"archive": KEY})


def with_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mount_options: str, **more: Any) -> Run:
    """A preview with a folder of another machine, on a computer whose root is mounted so."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"29 1 8:1 / / rw,relatime {mount_options} - ext4 /dev/sda1 rw\n")
    monkeypatch.setattr(spaces, "mount_of", partial(mount_of, mounts=mounts))
    hub = {"auth": {"kind": "sharedPassword"}, "spaces": [ARCHIVE]}
    return deploy(monkeypatch, tmp_path, {"hub": hub}, **more)


def test_only_a_remote_folders_container_may_mount_and_its_key_is_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = with_archive(monkeypatch, tmp_path, "shared:1", secrets={"spaceKeys": KEYS})
    found = containers(site)
    able = {name for name, one in found.items() if "CAP_SYS_ADMIN" in one.inputs["capabilities"]["adds"]}
    assert able == {"space-archive"}
    assert found["space-archive"].inputs["mounts"][0]["source"] == f"{tmp_path}/data/cyberhub/spaces/archive"
    assert KEY.splitlines()[1] not in envelope_free(site)


def test_where_mounts_are_not_shared_a_remote_folder_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(pulumi.RunError, match=r"run: sudo mount --make-shared /$") as caught:
        with_archive(monkeypatch, tmp_path, "master:1", secrets={"spaceKeys": KEYS})
    assert "hub.spaces" in str(caught.value)


def test_a_remote_folder_without_its_key_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match=r"spaceKeys: the space archive needs one"):
        with_archive(monkeypatch, tmp_path, "shared:1")


@pytest.mark.parametrize("name", ["home-limits", "backup"])
def test_a_container_with_a_part_of_the_code_has_all_that_it_imports(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(home_limits, "filesystem", lambda _: COUNTING)
    backup = {"backup": {"repository": "s3:https://s3.example.org/b"}}
    words = {"backupPassword": "BACKUP-PASSWORD", "backupCredentials": "AWS_SECRET_ACCESS_KEY=HIDDEN"}
    one = containers(deploy(monkeypatch, tmp_path, {**LIMITED, **backup}, secrets=words))[name].inputs
    for upload in one["uploads"]:
        file = tmp_path / "inside" / upload["file"].lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(upload["content"]))
    program = {"home-limits": "hubconfig.homes.limits", "backup": "hubconfig.backup.__main__"}[name]
    inside = tmp_path / "inside" / CODE.relative_to("/")
    script = f"import sys; sys.path.insert(0, {str(inside)!r}); import {program}"
    subprocess.run([sys.executable, "-I", "-c", script], cwd=inside, check=True)
