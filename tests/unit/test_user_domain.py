"""What users' own hosts need is told before anything is created."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.checks.certificate import file_faults
from infra.checks.user_domain import dns_faults, dns_lack, faults
from infra.stack.clouds import LocalCloud
from infra.stack.sections import Sections
from infra.stack.settings import AcmeTls, FilesTls, LocalTls, NoTls, Web
from tests.support.authority import pair

HERE = LocalCloud(kind="local")

Tls = LocalTls | AcmeTls | FilesTls | NoTls


def told(
    domain: str | None,
    hostname: str | None = "hub.example.org",
    tls: Tls | None = None,
    cloud: LocalCloud | None = None,
) -> list[str]:
    web = Web(hostname=hostname, user_domain=domain, tls=tls or LocalTls(kind="local"))
    sections = Sections(stack="s", web=web, cloud=cloud or LocalCloud(kind="local", bind="0.0.0.0"))
    return [f"{fault.key}: {fault.rule}" for fault in faults(sections)]


@pytest.mark.parametrize(
    "domain", ["users.example.org", "hub.example.org", "people.elsewhere.org", "none", None]
)
def test_a_domain_of_its_own_or_below_the_hub_is_taken(domain: str | None) -> None:
    assert told(domain) == []


@pytest.mark.parametrize("hostname", ["hub.example.org", "hub.lab.example.org"])
def test_no_user_can_be_called_as_the_hub_is(hostname: str) -> None:
    (rule,) = told("example.org", hostname=hostname)
    assert "has the hub's own name in it" in rule
    assert told("ample.org", hostname=hostname) == []


@pytest.mark.parametrize("domain", ["localhost", "users.localhost"])
def test_localhost_is_for_this_computer_alone(domain: str) -> None:
    assert told(domain, hostname=None, cloud=HERE) == []
    assert "of this computer alone" in told(domain, hostname=None)[0]
    assert "of this computer alone" in told(domain, cloud=HERE)[0]


def test_the_hub_needs_a_name_too() -> None:
    assert "needs web.hostname" in told("users.example.org", hostname=None)[0]


def test_plain_http_is_refused() -> None:
    assert "needs https" in told("users.example.org", tls=NoTls(kind="none"))[0]


def files(folder: Path, *names: str) -> FilesTls:
    certificate, key = pair(folder, "own", *names)
    return FilesTls(kind="files", certificate_file=str(certificate), key_file=str(key))


def test_a_certificate_must_name_all_of_the_domain(tmp_path: Path) -> None:
    assert told("users.example.org", tls=files(tmp_path, "hub.example.org", "*.users.example.org")) == []
    (rule,) = told("users.example.org", tls=files(tmp_path, "hub.example.org", "users.example.org"))
    assert rule.startswith("web.tls.certificateFile: does not name *.users.example.org")


def test_a_certificate_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    gone = FilesTls(kind="files", certificate_file=str(tmp_path / "a"), key_file=str(tmp_path / "b"))
    assert told("users.example.org", tls=gone) == []
    assert file_faults(gone, "hub.example.org", datetime.now(UTC))


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ({"hub.example.org": "192.0.2.7", "anybody.users.example.org": "192.0.2.7"}, None),
        ({"anybody.users.example.org": "192.0.2.7"}, None),
        ({"hub.example.org": "192.0.2.7"}, "can be found"),
        ({}, "can be found"),
        ({"hub.example.org": "192.0.2.7", "anybody.users.example.org": "192.0.2.8"}, "another machine"),
    ],
)
def test_a_record_that_is_missing_or_leads_elsewhere_is_told(
    records: dict[str, str], said: str | None
) -> None:
    def look(name: str) -> set[str]:
        return {records[name]} if name in records else set()

    found = dns_lack("hub.example.org", "users.example.org", look)
    if said is None:
        assert found is None
    else:
        assert found
        assert said in found
        assert "make the DNS record `*.users.example.org CNAME hub.example.org.`" in found


def test_a_record_on_its_way_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.checks.user_domain.addresses_of", lambda _: set())
    web = Web(hostname="hub.example.org", user_domain="users.example.org")
    (fault,) = dns_faults(Sections(stack="s", web=web))
    assert fault.key == "web.userDomain"
    assert not fault.stops
    assert dns_faults(Sections(stack="s", web=Web(hostname="hub.example.org"))) == []
