"""Certificates and keys as people have them: taken, or refused with what mends them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.pem import PemError, certificates, pair, private_key

NOW = datetime.now(UTC)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def signed(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey
) -> bytes:
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=90))
        .sign(by, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


KEY, OFFICE, ROOT = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
LEAF = signed("hub.example.org", "office", KEY, OFFICE)
INTERMEDIATE = signed("office", "root", OFFICE, ROOT)
ANCHOR = signed("root", "root", ROOT, ROOT)
PLAIN = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SEC1 = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
OPENSSH = KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"

WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda text: text,
    "by an editor of Windows": lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"),
    "by PowerShell": lambda text: text.decode().encode("utf-16"),
    "by PowerShell, without its mark": lambda text: text.decode().encode("utf-16-le"),
    "on an old Mac": lambda text: text.replace(b"\n", b"\r"),
    "with a friendly name in Latin-1": lambda text: (
        "Bag Attributes\n  friendlyName: Universit\xe4t\n".encode("latin-1") + text
    ),
    "with words on the line of the first dashes": lambda text: b"my certificate: " + text,
    "indented, as from YAML": lambda text: b"".join(
        b"    " + line for line in text.splitlines(keepends=True)
    ),
    "without a last line end": lambda text: text.rstrip(b"\n"),
}

KEYS = {
    "PKCS#8": PLAIN,
    "SEC1 with its parameters": PARAMETERS + SEC1,
    "OpenSSH's own": OPENSSH,
    "beside it": LEAF + PLAIN,
}

BUNDLES = {
    "leaf, intermediate": LEAF + INTERMEDIATE,
    "intermediate, leaf": INTERMEDIATE + LEAF,
    "root, intermediate, leaf": ANCHOR + INTERMEDIATE + LEAF,
    "somebody else's between": LEAF + signed("x", "x", ROOT, ROOT) + INTERMEDIATE,
}


def files(folder: Path, certificate: bytes, key: bytes) -> tuple[str, str]:
    (folder / "c").write_bytes(certificate)
    (folder / "k").write_bytes(key)
    return str(folder / "c"), str(folder / "k")


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("form", KEYS)
@pytest.mark.parametrize("bundle", BUNDLES)
def test_whatever_wrote_them_the_proxy_gets_leaf_chain_and_key(
    tmp_path: Path, way: str, form: str, bundle: str
) -> None:
    write = WRITTEN[way]
    found = pair(*files(tmp_path, write(BUNDLES[bundle]), write(KEYS[form])))
    text = found.certificate_text
    assert text.isascii()
    assert text.startswith("-----BEGIN CERTIFICATE-----\n")
    first, second, *_ = x509.load_pem_x509_certificates(text.encode())
    assert (first.subject, second.subject) == (name("hub.example.org"), name("office"))
    assert load_pem_private_key(found.key_text.encode(), None) is not None
    assert not found.lacks_intermediate


def test_a_missing_intermediate_is_noticed(tmp_path: Path) -> None:
    assert pair(*files(tmp_path, LEAF, PLAIN)).lacks_intermediate
    assert not pair(
        *files(tmp_path, ANCHOR, ROOT.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    ).chain


def test_a_foreign_key_is_told_as_such(tmp_path: Path) -> None:
    other = OFFICE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(PemError, match="is not the certificate's key"):
        pair(*files(tmp_path, LEAF, other))


ENCRYPTED = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"HUNTER2"))
OLD_ENCRYPTED = KEY.private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"HUNTER2")
)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (ENCRYPTED, "has a passphrase; run: openssl pkey -in"),
        (OLD_ENCRYPTED, "has a passphrase; run: openssl pkey -in"),
        (KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), "openssl pkey -inform der"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519\n", "puttygen"),
        (LEAF, "the two files may be exchanged"),
        (b"HUNTER2", "convert it with openssl"),
        (b"", "convert it with openssl"),
    ],
)
def test_a_key_in_another_form_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, key: bytes, words: str
) -> None:
    with pytest.raises(PemError, match="is not an unencrypted private key") as caught:
        private_key(files(tmp_path, LEAF, key)[1])
    assert words in str(caught.value)
    assert "HUNTER2" not in str(caught.value)


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (b"-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----\n", "openssl pkcs7 -print_certs"),
        (
            b"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
            "the request for one",
        ),
        (PLAIN, "the two files may be exchanged"),
        (x509.load_pem_x509_certificate(LEAF).public_bytes(Encoding.DER), "openssl x509 -inform der"),
        (LEAF.replace(b"M", b"!", 1), "damaged"),
        (LEAF[: len(LEAF) // 2], "convert it with openssl"),
    ],
)
def test_a_certificate_in_another_form_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, certificate: bytes, words: str
) -> None:
    with pytest.raises(PemError, match="is not a certificate in PEM form") as caught:
        certificates(files(tmp_path, certificate, PLAIN)[0])
    assert words in str(caught.value)


@settings(max_examples=2000, deadline=None)  # files are written: a busy machine takes its time
@given(st.binary(max_size=300), st.integers(0, len(LEAF)), st.binary(max_size=6))
def test_no_file_ends_in_anything_but_a_certificate_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, put: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "noise"
    for content in (noise, LEAF[:at] + put + LEAF[at:], PLAIN[:at] + put + PLAIN[at:]):
        file.write_bytes(content)
        for read in (certificates, private_key):
            with contextlib.suppress(PemError):
                assert read(str(file))


def test_openssl_reads_what_is_written(tmp_path: Path) -> None:
    found = pair(*files(tmp_path, WRITTEN["by PowerShell"](BUNDLES["intermediate, leaf"]), PLAIN))
    (tmp_path / "ssl.crt").write_text(found.certificate_text)
    words = ["openssl", "x509", "-noout", "-subject", "-in", str(tmp_path / "ssl.crt")]
    assert "hub.example.org" in subprocess.run(words, capture_output=True, text=True, check=True).stdout
