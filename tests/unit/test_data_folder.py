"""The data volume's folders: nobody's are inside somebody else's."""

from __future__ import annotations

from itertools import combinations
from pathlib import PurePosixPath
from posixpath import normpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubconfig.data_folder import INSIDE, TOP, DataFolder, hub_refusal, source_refusal
from hubconfig.names import FIRST_HUB

FOLDER = DataFolder.at("/data")
names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?", fullmatch=True) | st.sampled_from(sorted(INSIDE))
sources = st.from_regex(r"[A-Za-z0-9._/-]{1,30}", fullmatch=True) | st.sampled_from(
    [
        "data",
        "user",
        ".",
        "./",
        "cyberhub/hub/state",
        "jupyterhub_users/ada",
        "a/../cyberhub",
        "restored",
        "//x",
    ]
)


@given(
    st.lists(names, max_size=4, unique=True),
    st.lists(names, max_size=3, unique=True),
    st.lists(sources, max_size=3),
)
def test_no_two_folders_meet(hubs: list[str], spaces: list[str], shared: list[str]) -> None:
    allowed = [FIRST_HUB, *(hub for hub in hubs if hub != FIRST_HUB and hub_refusal(hub) is None)]
    folders = [
        *(folder for hub in allowed for folder in vars(FOLDER.hub(hub)).values()),
        *(place for space in spaces for place in (FOLDER.space(space), FOLDER.space_token(space))),
        *(FOLDER.proxy, FOLDER.tls, FOLDER.backup, FOLDER.former_staging, FOLDER.restored),
    ]
    for one, other in combinations(folders, 2):
        assert not one.is_relative_to(other), (one, other)
        assert not other.is_relative_to(one), (one, other)
    for source in shared:
        if FOLDER.refusal(source) is None:
            theirs = PurePosixPath(normpath(FOLDER.shared(source)))
            for folder in (*folders, FOLDER.cyberhub, FOLDER.root):
                assert not folder.is_relative_to(theirs), (source, folder)
                assert folder == FOLDER.root or not theirs.is_relative_to(folder), (source, folder)


@pytest.mark.parametrize("name", sorted(set(INSIDE) - {FIRST_HUB}))
def test_a_hub_cannot_be_called_like_a_folder_of_ours(name: str) -> None:
    assert name in (hub_refusal(name) or "")
    with pytest.raises(ValueError, match="choose another name"):
        FOLDER.hub(name)


@pytest.mark.parametrize(
    "source", [*TOP, "cyberhub/hub/state", ".", "./", "a/..", "../etc", "jupyterhub_users/ada"]
)
def test_a_shared_folder_cannot_be_one_of_ours(source: str) -> None:
    assert source_refusal(source)


@pytest.mark.parametrize("source", ["data", "user", "data/2026", "/srv/archive", "cyberhubs", "x.y"])
def test_any_other_folder_can_be_shared(source: str) -> None:
    assert source_refusal(source) is None
    assert FOLDER.refusal(source) is None


@pytest.mark.parametrize(
    "source", ["/", "/data", "/data/", "/data/cyberhub", "/data/x/../jupyterhub_users/ada"]
)
def test_the_whole_path_of_a_folder_of_ours_is_refused_too(source: str) -> None:
    assert FOLDER.refusal(source)


def test_copies_of_databases_are_where_only_the_backup_writes() -> None:
    assert FOLDER.staging.is_relative_to(FOLDER.backup)


def test_the_first_hub_keeps_the_folders_that_it_always_had() -> None:
    assert f"{FOLDER.hub(FIRST_HUB).homes}" == "/data/jupyterhub_users"
    assert f"{FOLDER.hub(FIRST_HUB).state}" == "/data/cyberhub/hub/state"
    assert f"{FOLDER.hub('astro').homes}" == "/data/cyberhub/astro/jupyterhub_users"
