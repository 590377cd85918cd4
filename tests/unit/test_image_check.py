"""Images that cannot work with the hub are refused with the reason."""

from __future__ import annotations

import pytest

from infra.images.check import mismatch


@pytest.mark.parametrize("application", ["6.1.1", "6.0.0", "6.2.0b1"])
def test_an_image_of_the_same_major_version_works(application: str) -> None:
    assert mismatch("6.1.1", application) is None


@pytest.mark.parametrize("application", ["1.3.0", "5.5.4", "7.0.0"])
def test_an_image_of_another_major_version_is_refused_with_the_way_out(application: str) -> None:
    complaint = mismatch("6.1.1", application)
    assert complaint is not None
    assert application in complaint
    assert "jupyterhub==6.1.1" in complaint


def test_an_image_without_jupyterhub_is_refused_with_the_way_out() -> None:
    complaint = mismatch("6.1.1", None)
    assert complaint is not None
    assert "jupyterhub-singleuser" in complaint
