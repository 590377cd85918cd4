"""Whether a certificate of the administrator's own can be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from infra import pem
from infra.stack.faults import Fault
from infra.stack.sections import Sections
from infra.stack.settings import AcmeTls, FilesTls

_SOON = timedelta(days=14)
"""A university's certificate office takes about as long."""


def faults(sections: Sections) -> Sequence[Fault]:
    """What is wrong with the files that web.tls names."""
    web = sections.web
    if web is None:
        return []
    if isinstance(web.tls, FilesTls):
        return file_faults(web.tls, web.hostname, datetime.now(UTC))
    if isinstance(web.tls, AcmeTls) and web.tls.directory_ca_file is not None:
        return authority_faults(web.tls.directory_ca_file)
    return []


def authority_faults(file: str) -> list[Fault]:
    """What is wrong with the file that proves another ACME authority."""
    return _readable("web.tls.directoryCaFile", file) or _told(
        "web.tls.directoryCaFile", lambda: pem.certificates(file)
    )


def file_faults(tls: FilesTls, hostname: str | None, now: datetime) -> list[Fault]:
    """What is wrong with a certificate and its key: files, form, match, name and dates."""
    certificate, key = "web.tls.certificateFile", "web.tls.keyFile"
    unread = [*_readable(certificate, tls.certificate_file), *_readable(key, tls.key_file)] or [
        *_told(certificate, lambda: pem.certificates(tls.certificate_file)),
        *_told(key, lambda: pem.private_key(tls.key_file)),
    ]
    if unread:
        return unread
    try:
        pair = pem.pair(tls.certificate_file, tls.key_file)
    except pem.PemError as error:
        return [Fault(key, str(error))]
    return [*_of_chain(certificate, pair), *_of_leaf(certificate, pair.leaf, hostname, now)]


def _of_chain(key: str, pair: pem.Pair) -> Iterator[Fault]:
    if pair.lacks_intermediate:
        authority = pair.leaf.issuer.rfc4514_string()
        yield Fault(
            key,
            f"holds no certificate of the authority that signed it ({authority}): most "
            "browsers find it by themselves, git, curl and apps refuse. Append the authority's intermediate",
            stops=False,
        )


def _of_leaf(key: str, leaf: x509.Certificate, hostname: str | None, now: datetime) -> Iterator[Fault]:
    """Dates and names that a certificate may not have."""
    begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if begins > now:
        rule = f"is good from {begins:%Y-%m-%d %H:%M} UTC on only; wait, or set this computer's clock"
        yield Fault(key, rule)
    if ends <= now:
        yield Fault(key, f"ended on {ends:%Y-%m-%d}; get a new certificate")
    elif ends - now < _SOON:
        yield Fault(key, f"ends on {ends:%Y-%m-%d}; get a new certificate and run up again", stops=False)
    if hostname is not None and not {hostname, f"*.{hostname.partition('.')[2]}"} & {*_names(leaf)}:
        yield Fault(key, f"does not name {hostname}; get one that does")


def _told(key: str, read: Callable[[], object]) -> list[Fault]:
    try:
        read()
    except pem.PemError as error:
        return [Fault(key, str(error))]
    return []


def signed_names(tls: FilesTls) -> list[str] | None:
    """The DNS names in a certificate of one's own; None when there is none to be read."""
    try:
        return _names(pem.pair(tls.certificate_file, tls.key_file).leaf)
    except (OSError, pem.PemError):
        return None


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]


def _readable(key: str, file: str) -> list[Fault]:
    try:
        _path(file).read_bytes()
    except OSError as error:
        return [Fault(key, f"{file} cannot be read ({error.strerror}); correct the path")]
    return []


def _path(file: str) -> Path:
    return Path(file).expanduser()
