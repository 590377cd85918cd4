"""Whether a certificate of the administrator's own can be used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from infra.stack.faults import Fault
from infra.stack.settings import AcmeTls, FilesTls, Web
from infra.stack.stack_file import Parts

_SOON = timedelta(days=14)
"""A university's certificate office takes about as long."""


def tls_faults(parts: Parts) -> Sequence[Fault]:
    """What is wrong with the files that web.tls names."""
    web = parts.get("web")
    if not isinstance(web, Web):
        return []
    if isinstance(web.tls, FilesTls):
        return file_faults(web.tls, web.hostname, datetime.now(UTC))
    if isinstance(web.tls, AcmeTls) and web.tls.directory_ca_file is not None:
        return _readable("web.tls.directoryCaFile", web.tls.directory_ca_file)
    return []


def file_faults(tls: FilesTls, hostname: str | None, now: datetime) -> list[Fault]:
    """What is wrong with a certificate and its key: files, form, match, name and dates."""
    faults = [
        *_readable("web.tls.certificateFile", tls.certificate_file),
        *_readable("web.tls.keyFile", tls.key_file),
    ]
    if faults:
        return faults
    try:
        certificate = x509.load_pem_x509_certificates(_path(tls.certificate_file).read_bytes())[0]
    except (ValueError, IndexError):
        return [Fault("web.tls.certificateFile", "is not a certificate in PEM form; convert it with openssl")]
    try:
        key = load_pem_private_key(_path(tls.key_file).read_bytes(), password=None)
    except (ValueError, TypeError):
        return [
            Fault("web.tls.keyFile", "is not an unencrypted private key in PEM form; convert it with openssl")
        ]
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        faults.append(Fault("web.tls.keyFile", "is not the certificate's key; give the one it was made with"))
    ends = certificate.not_valid_after_utc
    if ends <= now:
        faults.append(Fault("web.tls.certificateFile", f"ended on {ends:%Y-%m-%d}; get a new certificate"))
    elif ends - now < _SOON:
        pulumi.log.warn(
            f"web.tls.certificateFile ends on {ends:%Y-%m-%d}; get a new certificate and run up again"
        )
    if hostname is not None and not _names(certificate, hostname):
        faults.append(Fault("web.tls.certificateFile", f"does not name {hostname}; get one that does"))
    return faults


def _names(certificate: x509.Certificate, hostname: str) -> bool:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return False
    wildcard = f"*.{hostname.partition('.')[2]}"
    names = [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]
    return hostname in names or wildcard in names


def _readable(key: str, file: str) -> list[Fault]:
    try:
        _path(file).read_bytes()
    except OSError as error:
        return [Fault(key, f"{file} cannot be read ({error.strerror}); correct the path")]
    return []


def _path(file: str) -> Path:
    return Path(file).expanduser()
