"""What a sign-in that fails shows to whoever tried, and tells the administrator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.hubconfig.provider import Provider
from tests.hubconfig.signing_in import KINDS, Hub, failure, github


def test_wrong_credentials_of_the_hub_tell_the_administrator_which_to_set(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    hub = github(tmp_path, server)
    hub.authenticator.client_secret = "another"
    page, line = failure(hub, server.code_for("ada"), caplog)
    assert page.status_code == 503
    assert "only whoever runs it" in page.jupyterhub_message
    assert "oauthClientSecret" in line
    assert "https://hub.org/a/hub/oauth_callback" in line


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        ((401, {"error": "invalid_client"}), 503, "oauthClientSecret"),
        ((400, {"error": "invalid_grant"}), 400, "invalid_grant"),
        ((502, {}), 503, "GitHub answered 502"),
        ((200, ["?"]), 503, "no token"),
        ((200, {"error": "new\nkind"}), 503, r"the error new\nkind"),
        ((200, {"access_token": "t"}), 503, "KeyError"),
    ],
)
def test_what_a_provider_can_answer_becomes_a_page_and_one_line(
    tmp_path: Path,
    server: Provider,
    caplog: pytest.LogCaptureFixture,
    answer: tuple[int, Any],
    status: int,
    says: str,
) -> None:
    server.fault = answer
    page, line = failure(github(tmp_path, server), "code", caplog)
    assert page.status_code == status
    assert says in line


def test_a_code_used_twice_asks_to_try_again(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    page, _ = failure(github(tmp_path, server), "used", caplog)
    assert page.status_code == 400
    assert "try again" in page.jupyterhub_message


def test_a_provider_out_of_reach_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub(tmp_path, "http://127.0.0.1:1", {"kind": "github", **KINDS["github"]})
    page, line = failure(hub, "code", caplog)
    assert page.status_code == 503
    assert "GitHub does not answer" in page.heading
    assert "refused" in line.lower()


def test_a_connection_that_is_not_trusted_shows_this_machine_s_clock(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    hub = Hub(tmp_path, server.url.replace("http:", "https:"), {"kind": "github", **KINDS["github"]})
    _, line = failure(hub, "code", caplog)
    assert "clock says" in line


def test_a_clock_that_is_off_is_told_by_how_much(
    tmp_path: Path, server: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    server.headers = {"Date": format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)}
    server.fault = (401, {"error": "invalid_client"})
    _, line = failure(github(tmp_path, server), "code", caplog)
    assert "behind the provider's: set it by NTP" in line
