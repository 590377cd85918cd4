"""What the program puts on a machine's Docker, as it asks the engine for it."""

from __future__ import annotations

import base64
import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pulumi
import pytest

from hubconfig.names import Names
from infra.checks import home_limits
from infra.images.contexts import ROOT
from infra.site.hub import code_upload
from tests.unit.engine import Run
from tests.unit.local_site import COUNTING, GITHUB, LIMITED, containers, deploy, envelope_free, exported


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    return deploy(monkeypatch, tmp_path)


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


def test_the_proxy_asks_for_no_name_in_the_machines_own_domain(site: Run) -> None:
    assert containers(site)["proxy"].inputs["dnsSearches"] == ["."]


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


def test_it_obeys_the_rules_for_all_containers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(home_limits, "filesystem", lambda _: COUNTING)
    site = deploy(monkeypatch, tmp_path, LIMITED)
    test_every_container_drops_all_rights_and_gains_none(site)
    test_only_the_hub_has_dockers_socket(site)
    test_what_the_engine_would_add_is_said_so_that_a_second_up_changes_nothing(site)
    test_containers_with_a_name_or_port_go_before_their_successors_come(site)


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
