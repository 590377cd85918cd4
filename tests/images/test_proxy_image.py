"""The proxy's image: Caddy without rights, and a certificate of one's own replaced under open connections."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import websocket
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hubconfig.container import PROXY_HTTPS_PORT
from infra.images.contexts import SYSTEM_IMAGES
from infra.images.versions import CADDY_IMAGE
from infra.site.caddyfile import HubRoute
from infra.stack.settings import AcmeTls, FilesTls, LocalTls, NoTls
from tests.images import proxies
from tests.images.building import (
    DROPPED,
    ENGINE,
    anonymous_mb,
    base_image,
    build,
    build_stub,
    image,
    inspect,
    log,
    network,
    no_rights,
    process,
    refusal,
    running,
    until,
)
from tests.images.proxies import options
from tests.support.ports import free_ports

CADDY = "caddy run"
USER = HubRoute("hub", "/", "images-hub", "images-user-")
FILES = FilesTls(kind="files", certificate_file="ssl.crt", key_file="ssl.key")


def configuration(tls: LocalTls | AcmeTls | FilesTls | NoTls, *hubs: HubRoute) -> str:
    """What the program would give the proxy of a hub."""
    return proxies.configuration(tls, *(hubs or (USER,)))


def write_pair(folder: Path, name: str) -> None:
    """A certificate and its key, in the names that the proxy looks for."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for file, content in (("ssl.crt", certificate.public_bytes(Encoding.PEM)), ("ssl.key", private)):
        put(folder, file, content)


def put(folder: Path, file: str, content: bytes) -> None:
    """Replace a file at once, readable by the proxy's user only."""
    new = folder / f".{file}.new"
    new.write_bytes(content)
    new.chmod(0o600)
    os.chown(new, 1000, 1000)
    new.rename(folder / file)


def served(port: int) -> str:
    """The name in the certificate that the proxy shows."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        shown = secure.getpeercert(binary_form=True)
    assert shown
    found = x509.load_der_x509_certificate(shown).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value)


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image of a stand-in for a user's server."""
    return build_stub(tmp_path_factory.mktemp("stub"))


@pytest.fixture(scope="module")
def site(stub: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A proxy with a certificate of the administrator's own, before a user's server; its folder and port."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "tls").mkdir()
    write_pair(folder / "tls", "first")
    (port,) = free_ports(1)
    published = ["--publish", f"127.0.0.1:{port}:{PROXY_HTTPS_PORT}"]
    with (
        network("images-proxy-net") as net,
        running("images-user-ada", "--network", net, *DROPPED, stub),
        running(
            *("images-proxy", "--network", net, *published, *options(folder, configuration(FILES))),
            image("proxy"),
        ),
    ):
        until(lambda: _serves(port), "the proxy answers")
        yield folder / "tls", port


def _serves(port: int) -> bool:
    try:
        return bool(served(port))
    except OSError:
        return False


def test_caddy_runs_as_nobody_special(site: tuple[Path, int]) -> None:
    assert site
    assert set(process("images-proxy", CADDY, "status")["Uid"].split()) == {"1000"}
    assert no_rights("images-proxy", CADDY)


def test_an_idle_proxy_takes_less_than_25_mb(site: tuple[Path, int]) -> None:
    assert site
    assert anonymous_mb("images-proxy", CADDY) < 25  # 13 measured at its start, 20 after a load


def test_a_new_certificate_is_served_and_an_open_connection_lives_on(site: tuple[Path, int]) -> None:
    tls, port = site
    assert served(port) == "first"
    unchecked = {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    talk = websocket.create_connection(f"wss://localhost:{port}/user/ada/ws", sslopt=unchecked, timeout=10)
    talk.send("before")
    assert talk.recv() == "before"
    write_pair(tls, "second")
    until(lambda: served(port) == "second", "the new certificate is served", within_s=30)
    talk.send("after")
    assert talk.recv() == "after"
    talk.close()
    assert "took the certificate" in log("images-proxy")


def test_a_key_that_does_not_match_is_refused_and_the_old_pair_stays(site: tuple[Path, int]) -> None:
    tls, port = site
    before = served(port)
    kept = (tls / "ssl.key").read_bytes()
    write_pair(tls, "third")
    third = (tls / "ssl.key").read_bytes()
    put(tls, "ssl.key", kept)
    until(
        lambda: "the one in /etc/caddy/tls cannot be used" in log("images-proxy"), "it says so", within_s=30
    )
    assert served(port) == before
    put(tls, "ssl.key", third)
    until(lambda: served(port) == "third", "the matching pair is served", within_s=30)


@pytest.mark.parametrize(
    "tls",
    [
        LocalTls(kind="local"),
        AcmeTls(kind="acme", email="admin@example.org"),
        AcmeTls(kind="acme", staging=True),
        FILES,
        NoTls(kind="none"),
    ],
    ids=["local", "acme", "acme-staging", "files", "none"],
)
@pytest.mark.parametrize("user_domain", [None, "users.example.org"], ids=["one-host", "users-hosts"])
def test_caddy_takes_what_the_program_writes(
    tls: LocalTls | AcmeTls | FilesTls | NoTls, user_domain: str | None, tmp_path: Path
) -> None:
    (tmp_path / "tls").mkdir()
    write_pair(tmp_path / "tls", "localhost")
    astro = HubRoute("astro-1", "/astro-1/", "astro-hub", "astro-user-")
    text = proxies.configuration(tls, USER, astro, user_domain=user_domain)
    validate = ["caddy", "validate", "--config", "/etc/caddy/site/Caddyfile"]
    said = ENGINE.run("run", "--rm", *options(tmp_path, text), image("proxy"), *validate)
    assert said.endswith("Valid configuration")


def test_caddy_from_its_own_image_starts_without_the_rights_that_its_file_asks_for(tmp_path: Path) -> None:
    reference = CADDY_IMAGE
    binary = os.environ.get("CYBERHUBS_CADDY")
    if binary:
        # Where no registry can be reached: a file with the same rights in a place of the same name.
        folder = tmp_path / "caddy"
        folder.mkdir()
        shutil.copy2(binary, folder / "caddy")
        (folder / "Dockerfile").write_text(
            "ARG BASE\nFROM $BASE\nCOPY caddy /usr/bin/caddy\n"
            "RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libcap2-bin"
            " && setcap cap_net_bind_service=+ep /usr/bin/caddy\n"
        )
        reference = "cyberhubs/caddy-with-rights"
        build(reference, folder, BASE=base_image())
    build("cyberhubs/proxy-of-image", SYSTEM_IMAGES / "proxy", BASE=base_image(), CADDY_IMAGE=reference)
    words = options(tmp_path, configuration(LocalTls(kind="local")))
    with running("images-proxy2", *words, "cyberhubs/proxy-of-image"):
        until((tmp_path / "data/caddy").exists, "Caddy has written its certificates")
        assert inspect("images-proxy2")["State"]["Running"]
        assert no_rights("images-proxy2", CADDY)


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("/data", "nothing is mounted at /data"),
        ("/etc/caddy/site/Caddyfile", "there is no configuration at /etc/caddy/site/Caddyfile"),
    ],
)
def test_what_is_missing_is_said_in_words(missing: str, said: str, tmp_path: Path) -> None:
    words = options(tmp_path, configuration(LocalTls(kind="local")))
    at = next(index for index, word in enumerate(words) if missing in word.split(":"))
    kept = [*words[: at - 1], *words[at + 1 :]]
    assert refusal(*kept, image("proxy")).startswith(f"proxy: {said}")


def test_a_proxy_that_may_not_own_its_folder_says_which_right_it_lacks(tmp_path: Path) -> None:
    words = options(tmp_path, configuration(LocalTls(kind="local")))
    at = words.index("CHOWN")
    assert "with the capability CHOWN" in refusal(*words[: at - 1], *words[at + 1 :], image("proxy"))
