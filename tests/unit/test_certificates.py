"""A certificate of one's own is checked before anything changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.checks.certificate import file_faults
from infra.stack.settings import FilesTls

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def write_pair(
    folder: Path, name: str = "hub.example.org", days: int = 90, issuer: str | None = None
) -> FilesTls:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or name)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=300))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "ssl.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "ssl.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return FilesTls(kind="files", certificate_file=str(folder / "ssl.crt"), key_file=str(folder / "ssl.key"))


def complaints(tls: FilesTls, hostname: str | None = "hub.example.org") -> str:
    """What stops the update."""
    return "; ".join(f"{fault.key}: {fault.rule}" for fault in file_faults(tls, hostname, NOW) if fault.stops)


def warnings(tls: FilesTls) -> list[str]:
    """What people are only warned of."""
    return [fault.rule for fault in file_faults(tls, "hub.example.org", NOW) if not fault.stops]


@pytest.mark.parametrize("name", ["hub.example.org", "*.example.org"])
def test_a_good_certificate_is_taken(tmp_path: Path, name: str) -> None:
    assert complaints(write_pair(tmp_path, name)) == ""


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    tls = write_pair(tmp_path)
    other = write_pair(tmp_path / "other")
    mixed = FilesTls(kind="files", certificate_file=tls.certificate_file, key_file=other.key_file)
    assert "keyFile: is not the certificate's key" in complaints(mixed)


def test_a_certificate_that_ended_is_refused(tmp_path: Path) -> None:
    ended = write_pair(tmp_path, days=-1)
    assert "ended on 2029-12-31" in complaints(ended)
    assert warnings(ended) == []


@pytest.mark.parametrize(("days", "warned"), [(13, True), (15, False)])
def test_a_certificate_that_ends_soon_is_told_of_and_taken(tmp_path: Path, days: int, warned: bool) -> None:
    tls = write_pair(tmp_path, days=days)
    assert complaints(tls) == ""
    assert [rule.startswith("ends on 2030-01-1") for rule in warnings(tls)] == [True] * warned


def test_a_certificate_without_its_authoritys_own_is_told_of_and_taken(tmp_path: Path) -> None:
    tls = write_pair(tmp_path, issuer="An Authority")
    assert complaints(tls) == ""
    (warned,) = warnings(tls)
    assert "of the authority that signed it (CN=An Authority)" in warned
    assert warnings(write_pair(tmp_path)) == []


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    assert "does not name hub.example.org" in complaints(write_pair(tmp_path, "other.example.org"))


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    tls = FilesTls(kind="files", certificate_file=str(tmp_path / "a"), key_file=str(tmp_path / "b"))
    assert "certificateFile" in complaints(tls)
    assert "keyFile" in complaints(tls)


def test_what_is_no_certificate_is_refused_without_its_content(tmp_path: Path) -> None:
    tls = write_pair(tmp_path)
    (tmp_path / "ssl.key").write_text("HUNTER2")
    assert "not an unencrypted private key" in complaints(tls)
    assert "HUNTER2" not in complaints(tls)
    (tmp_path / "ssl.crt").write_text("nothing")
    assert "is not a certificate" in complaints(tls)
