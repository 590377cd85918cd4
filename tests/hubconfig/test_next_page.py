"""Where a link to the sign-in may lead."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyterhub.handlers.base import BaseHandler
from tornado.httputil import HTTPHeaders

from hubconfig.next_page import lead_nowhere_else

lead_nowhere_else()

HANDLER = SimpleNamespace(
    settings={},
    subdomain_host="",
    log=logging.getLogger("JupyterHub"),
    request=SimpleNamespace(host="hub.example.org", protocol="https", headers=HTTPHeaders()),
)


def leads_to(said: str) -> str:
    """Where somebody is sent; empty for the hub's first page."""
    return str(BaseHandler._validate_next_url(HANDLER, said))


@pytest.mark.parametrize(
    "said",
    [
        *(
            "http://[::1]@x",
            "//[",
            "http://]/",
            "//[v1.x]@y",
            "https://[::1",
            "//x\u2100y/",
            "http://[::1]x/",
        ),
        *("///[", "\\\\[", "//evil.example", "https://hub.example.org@evil.example/", "javascript:alert(1)"),
    ],
)
def test_what_is_no_address_of_the_hub_leads_to_its_first_page(said: str) -> None:
    assert leads_to(said) == ""


@pytest.mark.parametrize("said", ["/hub/home", "/user/ada/lab?x=[1]#y", "/user/ada/files/a[1].txt"])
def test_a_page_of_the_hub_is_led_to(said: str) -> None:
    assert leads_to(said) == said


@given(st.text("/\\[]:@.?#%abx1 \u2100\t", max_size=20))
def test_nothing_that_a_link_says_is_an_error_or_leads_away(said: str) -> None:
    found = leads_to(said)
    assert found == "" or (found.startswith("/") and not found.startswith("//"))
