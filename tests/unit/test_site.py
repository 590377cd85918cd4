"""What the program puts on a machine's Docker, as it asks the engine for it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import shutil
import tarfile
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import resource

from hubconfig.names import Names
from infra.checks import home_limits, spaces, this_computer
from infra.engine import Engine
from infra.images.contexts import ROOT
from infra.machine.filesystem import Filesystem, mount_of
from infra.program import main
from infra.site.hub import code_upload
from tests.unit.engine import Run, run, texts

LOCAL: dict[str, Any] = {"kind": "local"}
GITHUB = {"oauthClientId": "the-client-id", "oauthClientSecret": "THE-CLIENT-SECRET"}


class _Callbacks:
    def register_resource_hook(self, _: object) -> None:
        pass


async def _callbacks() -> _Callbacks:
    return _Callbacks()


def deploy(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    config: dict[str, Any] | None = None,
    **more: Any,
) -> Run:
    """A preview of the local stack: nothing is asked of Docker but what it is."""
    monkeypatch.setattr(Engine, "info", lambda _: {"MemTotal": 8 * 1024**3, "NCPU": 4})
    monkeypatch.setattr(Engine, "run", lambda *_, **__: "unix:///var/run/docker.sock")
    monkeypatch.setattr(this_computer, "_free", lambda *_: True)
    # A hook is a callback from the engine, which the recording one has no need for.
    monkeypatch.setattr(resource, "_get_callbacks", _callbacks)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    settings = {"hub": {"auth": {"kind": "sharedPassword"}, "admins": ["admin"]}, **(config or {})}
    settings["cloud"] = {**LOCAL, "dataDir": str(tmp_path / "data"), **settings.get("cloud", {})}
    return run(main, settings, preview=True, **{"stack": "s", **more})


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    return deploy(monkeypatch, tmp_path)


def containers(site: Run) -> dict[str, Any]:
    return {one.name: one for one in site.all(":Container")}


def exported() -> dict[str, Any]:
    """The stack's outputs of the last run."""
    stack: Any = pulumi.runtime.get_root_resource()
    loop = asyncio.get_event_loop()
    return {
        name: loop.run_until_complete(pulumi.Output.from_input(value).future())
        for name, value in stack.outputs.items()
    }


def envelope_free(site: Run) -> str:
    return "\n".join(text for one in site.asked for text in texts(one.sent))


def test_there_are_fence_proxy_and_hub(site: Run) -> None:
    assert set(containers(site)) == {"fence", "proxy", "hub-hub"}


def test_only_the_hub_has_dockers_socket(site: Run) -> None:
    for name, one in containers(site).items():
        mounts = [volume.get("hostPath") for volume in one.inputs.get("volumes", [])]
        assert ("/var/run/docker.sock" in mounts) == (name == "hub-hub"), name


def test_every_container_drops_all_rights_and_gains_none(site: Run) -> None:
    for name, one in containers(site).items():
        assert one.inputs["capabilities"]["drops"] == ["ALL"], name
        assert "no-new-privileges:true" in one.inputs["securityOpts"], name
        assert not one.inputs.get("privileged"), name


def test_only_the_proxy_is_reached_from_outside_and_only_from_this_machine(site: Run) -> None:
    for name, one in containers(site).items():
        assert bool(one.inputs.get("ports")) == (name == "proxy"), name
    ports = {port["external"]: port["ip"] for port in containers(site)["proxy"].inputs["ports"]}
    assert ports == {8080: "127.0.0.1", 8443: "127.0.0.1"}


def test_what_the_engine_would_add_is_said_so_that_a_second_up_changes_nothing(site: Run) -> None:
    for name, one in containers(site).items():
        assert one.inputs["logDriver"] == "json-file", name
        assert one.inputs["logOpts"]["max-size"], name
        assert one.inputs["networkMode"], name
        assert one.inputs["restart"] == "unless-stopped", name


def test_containers_with_a_name_or_port_go_before_their_successors_come(site: Run) -> None:
    for name, one in containers(site).items():
        assert one.options.deleteBeforeReplace, name


def test_servers_do_not_reach_each_other(site: Run) -> None:
    network = site.only(":Network")
    assert network.inputs["options"]["com.docker.network.bridge.enable_icc"] == "false"
    assert network.options.hooks.before_delete, "users' servers must go before the network"


def test_images_stay_when_they_are_replaced(site: Run) -> None:
    assert site.all(":RemoteImage")
    for one in site.all(":RemoteImage"):
        assert one.inputs["keepLocally"], one.name


def test_made_passwords_are_secret_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = {"sharedPassword": "KEPT-FROM-LAST-TIME", "adminPassword": "K" * 32}
    site = deploy(
        monkeypatch,
        tmp_path,
        in_state={"pulumi:pulumi:Stack::cyberhubs-s": kept},
    )
    uploads = containers(site)["hub-hub"].inputs["uploads"]
    files = {upload["file"]: upload for upload in uploads}
    assert files["/run/secrets/shared_password"]["content"] == "KEPT-FROM-LAST-TIME"
    assert files["/run/secrets/shared_password"]["permissions"] == "0600"
    assert "KEPT-FROM-LAST-TIME" not in envelope_free(site)
    assert {"sharedPassword", "adminPassword"} <= set(exported())


def test_the_oauth_secret_is_nowhere_in_the_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    site = deploy(monkeypatch, tmp_path, {"hub": {"auth": {"kind": "github"}}}, secrets=GITHUB)
    files = [upload["file"] for upload in containers(site)["hub-hub"].inputs["uploads"]]
    assert "/run/secrets/oauth_client_secret" in files
    assert "THE-CLIENT-SECRET" not in envelope_free(site)
    assert exported()["callbackUrl"] == "https://localhost:8443/hub/oauth_callback"


def test_without_client_id_and_secret_nothing_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(pulumi.RunError, match="oauthClientSecret: is required"):
        deploy(monkeypatch, tmp_path, {"hub": {"auth": {"kind": "github"}}})


def test_several_hubs_share_one_proxy_and_have_homes_of_their_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    astro = {"auth": {"kind": "sharedPassword"}, "title": "Astro"}
    site = deploy(monkeypatch, tmp_path, {"hubs": {"astro": astro}})
    found = containers(site)
    assert set(found) == {"fence", "proxy", "hub-hub", "astro-hub"}
    assert found["astro-hub"].inputs["name"] == Names("s").hub("astro")
    homes = {
        name: next(
            volume["hostPath"]
            for volume in found[name].inputs["volumes"]
            if volume["containerPath"] == "/srv/homes"
        )
        for name in ("hub-hub", "astro-hub")
    }
    assert homes["hub-hub"].endswith("/jupyterhub_users")
    assert homes["astro-hub"].endswith("/cyberhub/astro/jupyterhub_users")
    assert not found["proxy"].inputs.get("uploads"), "what changes with the hubs would replace the proxy"
    assert exported()["callbackUrl-astro"] == "https://localhost:8443/astro/hub/oauth_callback"


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


LIMITED = {"hub": {"auth": {"kind": "sharedPassword"}, "limits": {"homeGb": 20}}}
COUNTING = Filesystem("ext4", frozenset({"rw", "prjquota"}))
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
    assert files == {"limits.py", "projects.py"}
    others = {name: each for name, each in containers(site).items() if name != "home-limits"}
    for name, each in others.items():
        assert "CAP_SYS_ADMIN" not in each.inputs["capabilities"]["adds"], name


def test_it_obeys_the_rules_for_all_containers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(home_limits, "filesystem", lambda _: COUNTING)
    site = deploy(monkeypatch, tmp_path, LIMITED)
    test_every_container_drops_all_rights_and_gains_none(site)
    test_only_the_hub_has_dockers_socket(site)
    test_what_the_engine_would_add_is_said_so_that_a_second_up_changes_nothing(site)
    test_containers_with_a_name_or_port_go_before_their_successors_come(site)


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
    "hostKey": "ssh-ed25519 AAAA",
    "mount": "/archive",
}


KEYS = json.dumps({"archive": "THE-PRIVATE-KEY"})


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
    assert "THE-PRIVATE-KEY" not in envelope_free(site)


def test_where_mounts_are_not_shared_a_remote_folder_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(pulumi.RunError, match=r"run: sudo mount --make-shared /$") as caught:
        with_archive(monkeypatch, tmp_path, "master:1", secrets={"spaceKeys": KEYS})
    assert "hub.spaces" in str(caught.value)


def test_a_remote_folder_without_its_key_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match=r"spaceKeys: the space archive needs one"):
        with_archive(monkeypatch, tmp_path, "shared:1")


def test_menus_of_two_hubs_may_mean_different_images_by_one_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def offering(image: str) -> dict[str, Any]:
        menu = [{"name": "course", "title": "Course", "image": image}]
        return {"auth": {"kind": "sharedPassword"}, "menu": menu}

    site = deploy(
        monkeypatch,
        tmp_path,
        {"hub": offering("you/old:1"), "hubs": {"a": offering("you/new:1"), "b": offering("you/old:1")}},
    )
    pulled = sorted(one.inputs["name"] for one in site.all(":RemoteImage") if "menu" in one.name)
    assert pulled == ["you/new:1", "you/old:1"]


def test_the_hubs_code_is_uploaded_whole(site: Run) -> None:
    (packed,) = [
        upload["contentBase64"]
        for upload in containers(site)["hub-hub"].inputs["uploads"]
        if upload["file"] == "/srv/cyberhub/hubconfig.tar"
    ]
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(packed))) as archive:
        files = archive.getnames()
        template = archive.extractfile("hubconfig/pages/templates/menu.html")
        assert template
        assert template.read() == (ROOT / "hubconfig/pages/templates/menu.html").read_bytes()
    for name in ("jupyterhub_config.py", "apply.py", "__init__.py"):
        assert f"hubconfig/{name}" in files
    assert not any("images/" in file for file in files)


def test_the_same_code_is_the_same_upload_whenever_and_by_whomever_it_was_checked_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy = tmp_path / "hubconfig"
    shutil.copytree(ROOT / "hubconfig", copy, copy_function=shutil.copyfile)  # with new times and modes
    first = code_upload()
    monkeypatch.setattr("infra.site.hub._CODE", copy)
    assert code_upload().content_base64 == first.content_base64


def test_servers_of_an_older_version_find_their_hub_by_its_former_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    astro = {"auth": {"kind": "sharedPassword"}}
    found = containers(deploy(monkeypatch, tmp_path, {"hubs": {"astro": astro}}))
    (network,) = found["astro-hub"].inputs["networksAdvanced"]
    assert network["aliases"] == ["s-astro-hub"]
    (network,) = found["hub-hub"].inputs["networksAdvanced"]
    assert "aliases" not in network


def test_a_hub_that_sorts_first_moves_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one = {"auth": {"kind": "sharedPassword"}}
    before = containers(deploy(monkeypatch, tmp_path, {"hubs": {"pw": one}}))
    kind = "docker:index/container:Container"
    state = {f"{kind}::{name}": dict(each.inputs) for name, each in before.items()}
    after = containers(deploy(monkeypatch, tmp_path, {"hubs": {"databank": one, "pw": one}}, in_state=state))

    def address(found: dict[str, Any], name: str) -> str:
        return str(found[name].inputs["networksAdvanced"][0]["ipv4Address"])

    assert address(after, "hub-hub") == address(before, "hub-hub")
    assert address(after, "pw-hub") == address(before, "pw-hub")
    assert len({address(after, name) for name in ("hub-hub", "pw-hub", "databank-hub", "proxy")}) == 4
    for key in {*after["proxy"].inputs} - {"image"}:
        assert after["proxy"].inputs[key] == before["proxy"].inputs[key], key


def test_neither_site_nor_images_know_a_cloud() -> None:
    for file in [*(ROOT / "infra/images").glob("*.py"), *(ROOT / "infra/site").glob("*.py")]:
        assert "infra.clouds" not in file.read_text(), file
