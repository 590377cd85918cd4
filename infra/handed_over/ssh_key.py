"""Private keys for ssh, as people have them."""

from __future__ import annotations

import base64
import re
import struct
import textwrap
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from infra.handed_over.text import HandedOverError, plain

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)
_PUBLIC: Final = re.compile(
    r"\s*(?:\S+ )?(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ AAAA|-+ ?BEGIN [A-Z0-9 ]*PUBLIC KEY"
)
_PATH: Final = re.compile(r"\s*(?:~|/|[A-Za-z]:\\|\.{1,2}/)\S*\s*")
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")
_RSA_BITS_MIN: Final = 1024
"""Of OpenSSH: it takes no shorter ones."""
_ENCODED: Final = "LS0tLS1CRUdJTi"
"""How base64 of `-----BEGIN` begins: some tools hand over a key so, in one line."""

_CHECK_AT: Final = 15 + 8 + 8 + 4 + 4 + 55 + 4
"""Where that number is: after the mark, cipher and kdf (`none`), its options, the count, the public key and
the length of what follows."""

_LOCKED: Final = (
    "has a passphrase, which nobody can type there; take it off a copy: ssh-keygen -p -N '' -f COPY"
)


_Key = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def ssh_key(given: str) -> str:
    """The key as every OpenSSH reads it, made anew from what was read, and always the same.

    Raises HandedOverError with what it is instead, and the command that mends it.
    """
    text = _unpacked(plain(given))
    found = _BLOCK.search(text)
    if found is None:
        raise HandedOverError(_instead(text))
    label, content = found.groups()
    if label == "ENCRYPTED PRIVATE KEY" or "Proc-Type:" in content:
        raise HandedOverError(_LOCKED)
    body = "".join(content.split())
    if label == "OPENSSH PRIVATE KEY" and _cipher(body) not in {b"none", b""}:
        raise HandedOverError(_LOCKED)
    key = _loaded(label, _block(label, body))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _as_openssh(key)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def _block(label: str, body: str) -> str:
    lines = textwrap.wrap(body, 70 if label.startswith("OPENSSH") else 64)
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _loaded(label: str, block: str) -> _Key:
    """The key, if ssh takes it. Raises HandedOverError."""
    if label.startswith("DSA"):
        raise HandedOverError("is a DSA key, which ssh no longer takes; make one: ssh-keygen -t ed25519")
    load = load_ssh_private_key if label.startswith("OPENSSH") else load_pem_private_key
    try:
        key = load(block.encode(), password=None)
    except UnsupportedAlgorithm:
        key = None
    except (ValueError, TypeError, NotImplementedError):
        raise HandedOverError("is a damaged private key; take it anew from where it was made") from None
    match key:
        case ed25519.Ed25519PrivateKey():
            return key
        case rsa.RSAPrivateKey() if key.key_size >= _RSA_BITS_MIN:
            return key
        case ec.EllipticCurvePrivateKey() if key.curve.name in _CURVES:
            return key
    raise HandedOverError(
        "is a key of a kind or size that ssh does not take without a person; make one: ssh-keygen -t ed25519"
    )


def _as_openssh(key: ed25519.Ed25519PrivateKey) -> str:
    """The key in OpenSSH's own form: before 9.6, ssh reads this kind in no other.

    It has a number at random in it, twice; here always the same, as another text would be another secret.
    """
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    raw = bytearray(base64.b64decode("".join(text.splitlines()[1:-1])))
    raw[_CHECK_AT : _CHECK_AT + 8] = key.public_key().public_bytes_raw()[:4] * 2
    return _block("OPENSSH PRIVATE KEY", base64.b64encode(raw).decode())


def _unpacked(text: str) -> str:
    """The block itself where it was packed into one line, as in a variable of CI or in JSON."""
    joined = "".join(text.split()).strip("\"'")
    if joined.startswith(_ENCODED):
        try:
            return base64.b64decode(joined, validate=True).decode("latin-1")
        except ValueError:
            return text
    return text.replace("\\r", "").replace("\\n", "\n") if "-----BEGIN" in text else text


def _cipher(body: str) -> bytes:
    """What a key in OpenSSH's own form is encrypted with; nothing where that cannot be told."""
    try:
        raw = base64.b64decode(body[:64], validate=True)
        (length,) = struct.unpack_from(">I", raw, 15)
    except (ValueError, struct.error):
        return b""
    return raw[19 : 19 + length] if raw.startswith(b"openssh-key-v1\0") else b""


def _instead(text: str) -> str:
    """What a text without a private key is, and what makes of it what is wanted."""
    putty = "run: puttygen FILE -O private-openssh -o FILE.key"
    forms = {
        f"is PuTTY's; {putty}": "PuTTY-User-Key-File" in text,
        f"is a key of ssh.com's program; {putty}": "BEGIN SSH2 ENCRYPTED PRIVATE KEY" in text,
        "is the public half; give the private one, the file without .pub": _PUBLIC.match(text),
        "is a certificate; give the private key": "-----BEGIN CERTIFICATE" in text,
        "is not a whole private key: a part of it is missing; take it anew from where it was made": (
            "-----BEGIN" in text
        ),
        "is a file's name; give what is in the file, with < before its name": _PATH.fullmatch(text),
    }
    return next(
        (form for form, it_is in forms.items() if it_is),
        "is not a private key; the first line of one is -----BEGIN OPENSSH PRIVATE KEY----- or a like one",
    )
