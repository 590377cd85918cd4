"""What the settings make of JupyterHub, without a hub: a bare configuration is enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub
from traitlets.config import Config

from hubconfig.access.gate import Folders
from hubconfig.apply import apply
from hubconfig.options import HubOptions
from hubconfig.settings import HubSettings


def settings(name: str = "hub", **options: Any) -> HubSettings:
    wanted = HubOptions.model_validate({"auth": {"kind": "sharedPassword"}, **options})
    return HubSettings(
        name=name,
        stack="test",
        options=wanted,
        public_url="https://hub.example.org",
        base_url="/" if name == "hub" else f"/{name}/",
        hub_host="test-hub",
        network="cyberhub-test",
        user_prefix="test-user-",
        homes_dir="/mnt/jupyterhub_users",
        space_dirs={space.name: f"/mnt/{space.name}" for space in wanted.spaces},
        images={entry.name: f"sha256:{entry.name}" for entry in wanted.menu},
        servers_max=7,
        images_kept=[],
        images_prefix="test/",
        machine_is_ours=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("access", "state", "secrets", "homes"):
        (tmp_path / name).mkdir()
    (tmp_path / "secrets" / "shared_password").write_text("the-shared-password")
    (tmp_path / "secrets" / "metrics_token").write_text("the-token-of-prometheus")
    return tmp_path


def applied(folder: Path, wanted: HubSettings) -> Config:
    c = Config()
    apply(wanted, c, Folders(folder / "access", folder / "state"), folder / "secrets", folder / "homes")
    return c


@pytest.mark.parametrize("options", [{}, {"metrics": True}, {"culling": {"idleMinutes": 0}}])
def test_every_trait_that_is_set_exists(folder: Path, options: dict[str, Any]) -> None:
    c = applied(folder, settings(**options))
    classes = {"JupyterHub": JupyterHub}
    for key in ("spawner_class", "authenticator_class"):
        classes[c.JupyterHub[key].__name__] = c.JupyterHub[key]
    assert set(c) <= {*classes, "CryptKeeper"}
    for section, kind in classes.items():
        for trait in c[section]:
            assert trait in kind.class_traits(config=True), f"{section}.{trait}"


def test_hub_and_proxy_leave_servers_alone_when_they_stop(folder: Path) -> None:
    c = applied(folder, settings())
    assert c.JupyterHub.cleanup_servers is False
    assert c.JupyterHub.cleanup_proxy is False
    assert c.JupyterHub.cookie_secret_file.startswith(str(folder / "state"))
    assert str(folder / "state") in c.JupyterHub.db_url


def test_the_container_is_called_as_the_proxy_looks_for_it(folder: Path) -> None:
    c = applied(folder, settings())
    assert c.Server.name_template == "test-user-{username}"
    assert c.Server.escape("a-b--0123") == "a-b--0123"


def test_a_further_hub_has_its_own_path(folder: Path) -> None:
    c = applied(folder, settings(name="astro"))
    assert c.JupyterHub.bind_url.endswith("/astro/")


def test_no_more_servers_than_the_machine_holds(folder: Path) -> None:
    assert applied(folder, settings()).JupyterHub.active_server_limit == 7


def test_idle_servers_are_stopped_unless_that_is_switched_off(folder: Path) -> None:
    def services(**options: Any) -> set[str]:
        return {each["name"] for each in applied(folder, settings(**options)).JupyterHub.services}

    assert "culler" in services()
    assert "culler" not in services(culling={"idleMinutes": 0})


def test_metrics_are_for_holders_of_the_token(folder: Path) -> None:
    c = applied(folder, settings(metrics=True))
    (service,) = [each for each in c.JupyterHub.services if each["name"] == "metrics"]
    assert service["api_token"] == "the-token-of-prometheus"
    (role,) = [each for each in c.JupyterHub.load_roles if each["name"] == "metrics"]
    assert role["scopes"] == ["read:metrics"]


def test_a_missing_secret_is_told_in_words(folder: Path) -> None:
    (folder / "secrets" / "shared_password").unlink()
    with pytest.raises(ValueError, match="shared_password cannot be read"):
        applied(folder, settings())


def test_what_the_program_writes_the_hub_reads(tmp_path: Path) -> None:
    wanted = settings(
        menu=[{"name": "a", "title": "A", "build": "corehub", "who": ["admins"]}],
        spaces=[{"name": "s", "source": "/srv/s", "mount": "/s"}],
        access={"openUntil": "2030-01-01T00:00:00Z"},
    )
    file = tmp_path / "settings.json"
    file.write_text(wanted.to_json())
    assert HubSettings.read(file) == wanted
