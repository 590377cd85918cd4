"""Reads certificates and keys as people have them, and writes them as every program takes them.

One reader for the check and for what is put on the machine: OpenSSL takes what Go does not (a byte order
mark before the first line, text around), so a file that is checked by one and used by the other may stop the
proxy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)

_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class PemError(ValueError):
    """A file that cannot be used; the text is the rule and the way out, without anything of its content."""


@dataclass(frozen=True)
class Pair:
    """A certificate with its key."""

    leaf: x509.Certificate
    """The one that the key belongs to."""
    chain: tuple[x509.Certificate, ...]
    """Those that sign it, each by the next, as far as the file has them."""
    key: PrivateKeyTypes

    @property
    def lacks_intermediate(self) -> bool:
        """Whether somebody else signed it, and the file does not say who: browsers guess, programs do not."""
        return not self.chain and self.leaf.issuer != self.leaf.subject

    @property
    def certificate_text(self) -> str:
        """The chain in the order that servers send it in."""
        return pem_text([self.leaf, *self.chain])

    @property
    def key_text(self) -> str:
        """The key in the form that all programs read."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def pem_text(certificates: Sequence[x509.Certificate]) -> str:
    """Certificates as text: ASCII, with nothing around them."""
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def certificates(file: str) -> list[x509.Certificate]:
    """All certificates of a file, in its order. Raises PemError; OSError when it cannot be read."""
    raw = Path(file).expanduser().read_bytes()
    blocks = _blocks(raw)
    try:
        found = [
            x509.load_pem_x509_certificate(text.encode())
            for label, text in blocks
            if label in {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}
        ]
    except ValueError:
        raise PemError("is not a certificate in PEM form: it is damaged; get it anew") from None
    if not found:
        raise PemError(f"is not a certificate in PEM form; {_other_form(raw, blocks, file)}")
    return found


def private_key(file: str) -> PrivateKeyTypes:
    """The private key in a file. Raises PemError; OSError when it cannot be read."""
    raw = Path(file).expanduser().read_bytes()
    blocks = _blocks(raw)
    rule = "is not an unencrypted private key in PEM form"
    for label, text in blocks:
        if not label.endswith("PRIVATE KEY"):
            continue
        if label == "ENCRYPTED PRIVATE KEY" or "Proc-Type: 4,ENCRYPTED" in text:
            raise PemError(f"{rule}: it has a passphrase; run: openssl pkey -in {file} -out {file}.plain")
        load = load_ssh_private_key if label.startswith("OPENSSH") else load_pem_private_key
        try:
            return load(text.encode(), password=None)
        except (ValueError, TypeError, NotImplementedError, UnsupportedAlgorithm):
            raise PemError(
                f"{rule}: it is damaged or has a passphrase; take it from where it was made"
            ) from None
    raise PemError(f"{rule}; {_other_form(raw, blocks, file)}")


def pair(certificate_file: str, key_file: str) -> Pair:
    """A certificate, its chain and its key, in whatever order the file has them.

    Raises PemError where the key belongs to none of the certificates, or a file is another thing; OSError.
    """
    given, key = certificates(certificate_file), private_key(key_file)
    own = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    leaf = next((one for one in given if _public(one) == own), None)
    if leaf is None:
        raise PemError("is not the certificate's key; give the one it was made with")
    chain: list[x509.Certificate] = []
    last = leaf
    while last.issuer != last.subject:
        signer = next(
            (one for one in given if one.subject == last.issuer and one not in (leaf, *chain)), None
        )
        if signer is None:
            break
        chain.append(signer)
        last = signer
    return Pair(leaf, tuple(chain), key)


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _blocks(raw: bytes) -> list[tuple[str, str]]:
    """Label and text of each block, its lines clean; whatever is between blocks is left out."""
    found = []
    for match in _BLOCK.finditer(_decoded(raw)):
        lines = [line.strip() for line in match[2].splitlines()]
        body = "\n".join(line for line in lines if line or ":" in match[2]).strip("\n")
        found.append((match[1], f"-----BEGIN {match[1]}-----\n{body}\n-----END {match[1]}-----\n"))
    return found


def _decoded(raw: bytes) -> str:
    """A file's text, whichever program of which system wrote it: what matters in it is ASCII."""
    for bom, name in _BOMS.items():
        if raw.startswith(bom):
            return raw.decode(name, "replace")
    if raw[1:2] == b"\0":
        return raw.decode("utf-16-le", "replace")
    return raw.decode("latin-1")


def _other_form(raw: bytes, blocks: Sequence[tuple[str, str]], file: str) -> str:
    """What a file is instead, and what makes of it what is wanted."""
    labels = {label for label, _ in blocks}
    forms = {
        f"it is a bundle in PKCS#7; run: openssl pkcs7 -print_certs -in {file} -out {file}.pem": bool(
            labels & {"PKCS7", "CMS"}
        ),
        "it is the request for one; give the certificate that was made of it": bool(
            labels & {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"}
        ),
        "it is a private key; the two files may be exchanged": any(
            label.endswith("PRIVATE KEY") for label in labels
        ),
        "it is a certificate; the two files may be exchanged": "CERTIFICATE" in labels,
        f"it is PuTTY's; run: puttygen {file} -O private-openssh -o {file}.pem": raw.startswith(
            b"PuTTY-User-Key-File"
        ),
        "it is binary (DER or PKCS#12); run: "
        f"openssl x509 -inform der -in {file} -out {file}.pem, for a key openssl pkey -inform der, or "
        f"for a .p12 or .pfx openssl pkcs12 -in {file} -nodes -out {file}.pem": (
            raw[:1] == b"0" and raw[1:2] >= b"\x80"
        ),
    }
    return next((form for form, it_is in forms.items() if it_is), "convert it with openssl")
