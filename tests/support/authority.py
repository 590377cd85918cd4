"""An ACME authority of the test's own: Pebble, Let's Encrypt's stand-in, on this machine."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.deployment import ROOT
from tests.support.ports import free_ports


@dataclass(frozen=True)
class Authority:
    """Where it is, and what proves what it says and signs."""

    directory: str
    """The address that ACME clients are given."""
    directory_ca: Path
    """The certificate that proves that address."""
    management: str
    log: Path

    def root(self, folder: Path) -> Path:
        """The root certificate of what it signs, in a file."""
        context = ssl.create_default_context(cafile=str(self.directory_ca))
        with urllib.request.urlopen(f"{self.management}/roots/0", context=context, timeout=5) as answer:
            (folder / "root.pem").write_bytes(answer.read())
        return folder / "root.pem"

    def issued(self) -> int:
        """How many certificates it has signed."""
        return self.log.read_text().count("Issued certificate")

    def accounts(self) -> int:
        """How many clients have introduced themselves."""
        return self.log.read_text().count("POST /sign-me-up")


def pair(
    folder: Path, name: str, *hosts: str, days: float = 1, begun: timedelta = timedelta(hours=1)
) -> tuple[Path, Path]:
    """A certificate that proves itself, and its key, as files NAME.crt and NAME.key.

    :param hosts: the names and addresses in it.
    :param days: until it ends; less than 0 for one that has ended.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = [x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host) for host in hosts]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=min(days, 0)) - begun)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = (folder / f"{name}.crt", folder / f"{name}.key")
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@contextmanager
def authority(
    folder: Path, address: str, ports: tuple[int, int], *, valid_seconds: int
) -> Iterator[Authority]:
    """An authority that answers while the block runs.

    :param address: by which the proxy's container reaches this machine.
    :param ports: those of http and https at which it asks for proof, whatever the name, on this machine.
    :param valid_seconds: how long its certificates last.
    """
    made = subprocess.run(
        [sys.executable, "-m", "tools.toolchain", "pebble"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    programs = Path(made.stdout.splitlines()[-1].strip())
    acme, management, names = free_ports(3)
    certificate, key = pair(folder, "acme", address, "127.0.0.1")
    configuration = {
        "listenAddress": f"0.0.0.0:{acme}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": ports[0],
        "tlsPort": ports[1],
        "profiles": {"default": {"description": "short", "validityPeriod": valid_seconds}},
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": configuration}))
    unused = [f"-{what}=" for what in ("defaultIPv6", "http01", "https01", "tlsalpn01", "doh", "management")]
    dns = [f"-dnsserver=127.0.0.1:{names}", *unused]
    environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    log = folder / "pebble.log"
    with ExitStack() as stack:
        output = stack.enter_context(log.open("wb"))
        for words in (
            [str(programs / "pebble-challtestsrv"), *dns],
            [
                str(programs / "pebble"),
                "-config",
                str(folder / "pebble.json"),
                "-dnsserver",
                f"127.0.0.1:{names}",
            ],
        ):
            process = subprocess.Popen(words, stdout=output, stderr=output, env=environment)
            stack.callback(process.wait)
            stack.callback(process.kill)
        found = Authority(
            f"https://{address}:{acme}/dir", certificate, f"https://127.0.0.1:{management}", log
        )
        _wait(found, folder)
        yield found


def _wait(found: Authority, folder: Path) -> None:
    for _ in range(100):
        try:
            found.root(folder)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the authority does not answer:\n{found.log.read_text()}")
