"""Servers that an older version started are found again under today's names."""

from __future__ import annotations

from typing import Any

import docker

from hubconfig import labels
from hubconfig.names import Names
from hubconfig.options import HubOptions
from hubconfig.servers.takeover import rename_former
from hubconfig.settings import HubSettings
from tests.images.building import ENGINE, base_image, network, remove, running

STACK, NETWORK = "takeovertest", "takeovertest"
FORMER = "takeovertest-astro-user-ada"
TODAY = Names(STACK).server("astro", "ada")


def settings(hub: str) -> HubSettings:
    return HubSettings(
        name=hub, stack=STACK, options=HubOptions(), public_url="", base_url=f"/{hub}/", hub_host="h",
        network=NETWORK, user_prefix=Names(STACK).user_prefix(hub), homes_dir="/h", space_dirs={}, images={},
        servers_max=1, images_kept=[], images_prefix="p/", machine_is_ours=False,
    )  # fmt: skip


def server(name: str, **more: str) -> Any:
    known = labels.labels(STACK, "user", hub="astro", user="ada") | {"cyberhubs.test": "yes"} | more
    words = [word for label, value in known.items() for word in ("--label", f"{label}={value}")]
    return running(name, *words, "--network", NETWORK, base_image(), "sleep", "60")


def test_a_running_server_of_a_further_hub_is_called_as_the_proxy_looks_for_it() -> None:
    remove(TODAY)
    with network(NETWORK), server(FORMER) as container:
        begun = ENGINE.run("inspect", "--format", "{{.State.StartedAt}}", container)
        assert rename_former(settings("hub"), docker.from_env()) == []  # another hub's
        (said,) = rename_former(settings("astro"), docker.from_env())
        assert FORMER in said
        assert TODAY in said
        assert ENGINE.run("inspect", "--format", "{{.State.StartedAt}}", TODAY) == begun
        asked = ("run", "--rm", "--network", NETWORK, base_image(), "getent", "hosts", TODAY)
        assert TODAY in ENGINE.run(*asked)
        assert rename_former(settings("astro"), docker.from_env()) == []  # once is enough
        ENGINE.run("rm", "--force", TODAY)
