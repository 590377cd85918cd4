"""What the site's own containers may take, on small machines and large ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.site import bounds
from tests.unit.local_site import containers, deploy


@pytest.mark.parametrize("machine_mb", [960, 1_000, 3_900, 15_000, 250_000])
def test_no_container_of_ours_may_take_all_of_a_machine(machine_mb: int) -> None:
    for each in (bounds.HUB, bounds.PROXY, bounds.BACKUP, bounds.FENCE):
        assert each.least_mb <= each.memory_mb(machine_mb) <= max(each.least_mb, machine_mb * 0.52)
        assert each.memory_mb(machine_mb) < machine_mb


@pytest.mark.parametrize("machine_mb", [15_000, 15_700, 63_000])
def test_a_machine_that_counts_its_memory_a_little_otherwise_changes_nothing(machine_mb: int) -> None:
    assert bounds.HUB.memory_mb(machine_mb) == bounds.HUB.memory_mb(machine_mb + 20)


def test_hub_and_proxy_have_their_share(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = containers(deploy(monkeypatch, tmp_path, {"backup": {"repository": "/mnt/backups"}}))
    limits = {name: one.inputs["memory"] for name, one in made.items()}
    assert limits == {"fence": 64, "proxy": 2048, "hub-hub": 2048, "backup": 4096}
    assert all(one.inputs["memorySwap"] == 2 * one.inputs["memory"] for one in made.values())


@pytest.mark.parametrize(
    ("web", "most"),
    [
        ({}, 4000),
        ({"connectionsPerAddress": 250}, 250),
        ({"connectionsPerAddress": 0}, 0),
        ({"tls": {"kind": "none"}}, 0),
    ],
)
def test_an_address_outside_has_so_many_connections(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, web: dict[str, object], most: int
) -> None:
    fence = containers(deploy(monkeypatch, tmp_path, {"web": web}))["fence"]
    assert f"PER_ADDRESS={most}" in fence.inputs["envs"]
