"""The Debian image that ours start from: the pinned one of a registry, else one made from Debian's packages.

Contract for a Dockerfile that starts from it: Debian trixie with working apt-get and certificates;
it installs what else it needs (python3-venv, tini), which the image made here has already.
"""

from __future__ import annotations

import hashlib
import platform
import selectors
import shutil
import subprocess
import tempfile
from pathlib import Path

from infra.images.versions import BASE_IMAGE
from tools.toolchain import apt, exports, programs
from tools.toolchain.console import run, say, step, succeeds
from tools.toolchain.places import cache

_NAME = "cyberhubs-base"
_SUITE = "trixie"
_PACKAGES = ("ca-certificates", "python3-minimal", "python3-venv", "tini")
_UNUSED = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*")
_TIDY = 'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/log/*.log'
_CERTIFICATES = Path("/usr/local/share/ca-certificates")
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_BUNDLE_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""What makes pip, Python's web clients and node trust the machine's own authorities too."""

_ANSWER_SECONDS = 20
"""How long a registry may take to say that it has the image; the download itself has no limit."""

_BY_HAND = (
    "By hand, one of: bring the image from a machine with internet by `docker save` and `docker load`;\n"
    "make one with mmdebstrap; or name one your engine has as images.base in the stack file."
)


def ensure() -> None:
    """Have an image to start from, and say in `exports` which unless it is the pinned one.

    Raises Problem, with what to do by hand, when it can be neither pulled nor made.
    """
    made = made_name()
    was_made = exports.read().get("CYBERHUBS_BASE_IMAGE") == made and _on_engine(made)
    if not was_made and (_on_engine(BASE_IMAGE) or _pulled()):
        exports.update({"CYBERHUBS_BASE_IMAGE": None, "CYBERHUBS_CADDY": None})
        return
    if not _on_engine(made):
        _make(made)
    # Where no registry answers, the proxy's image cannot take Caddy from its own image either.
    exports.update({"CYBERHUBS_BASE_IMAGE": made, "CYBERHUBS_CADDY": str(programs.caddy())})


def _on_engine(image: str) -> bool:
    return succeeds(["docker", "image", "inspect", image])


def _pulled() -> bool:
    """Pull the pinned image; False where no registry answers soon."""
    say(f"==> Pulling {BASE_IMAGE} (usually 10 seconds; no answer within {_ANSWER_SECONDS} s is a no)")
    pull = subprocess.Popen(
        ["docker", "pull", BASE_IMAGE],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert pull.stdout is not None  # noqa: S101 - it was asked for
    with pull, selectors.DefaultSelector() as waiting:
        waiting.register(pull.stdout, selectors.EVENT_READ)
        if not waiting.select(_ANSWER_SECONDS):
            pull.terminate()
        said = pull.communicate()[0].decode(errors="replace").strip()
    if pull.returncode == 0:
        return True
    say(f"    not to be had: {said.splitlines()[-1] if said else 'no answer'}")
    return False


def made_name() -> str:
    """The image's name, with all that goes into it in the tag."""
    digest = hashlib.sha256()
    for word in (platform.machine(), *_mmdebstrap("image.tar"), *_changes()):
        digest.update(f"{word}\0".encode())
    for certificate in _certificates():
        digest.update(certificate.read_bytes())
    return f"{_NAME}:{digest.hexdigest()[:12]}"


def _make(name: str) -> None:
    if shutil.which("mmdebstrap") is None:
        otherwise = f"No registry answers, and mmdebstrap is not installed to make a base image.\n{_BY_HAND}"
        apt.install(["mmdebstrap", "debian-archive-keyring"], usually="20 seconds", otherwise=otherwise)
    cache().mkdir(parents=True, exist_ok=True)
    with (
        step(f"Making the base image {name} from Debian's packages, once", "a minute"),
        tempfile.TemporaryDirectory(prefix=".base.", dir=cache()) as folder,
    ):
        run(_mmdebstrap("image.tar"), cwd=Path(folder), by_hand=_BY_HAND)
        changes = [word for change in _changes() for word in ("--change", change)]
        run(["docker", "import", *changes, "image.tar", name], cwd=Path(folder), by_hand=_BY_HAND)


def _mmdebstrap(target: str) -> list[str]:
    """The command that makes the image as a tar file."""
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--format=tar",
        f"--include={','.join(_PACKAGES)}",
        *(f"--aptopt={option}" for option in apt.access_options()),
        *(f"--dpkgopt=path-exclude={path}" for path in _UNUSED),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        *(f"--customize-hook=copy-in {file} {file.parent}" for file in _certificates()),
        '--customize-hook=chroot "$1" update-ca-certificates',
        f"--customize-hook={_TIDY}",
        _SUITE,
        target,
        *_sources(),
    ]


def _changes() -> list[str]:
    """What the image has beside its files, in the words of a Dockerfile."""
    variables = _BUNDLE_VARIABLES if _certificates() else ()
    return ['CMD ["/bin/bash"]', *(f"ENV {name}={_BUNDLE}" for name in variables)]


def _certificates() -> list[Path]:
    """The machine's own authorities: behind a proxy that reads along, apt and pip need them in there too."""
    return sorted(_CERTIFICATES.glob("*.crt"))


def _sources() -> list[str]:
    """The mirrors of a Debian machine, asked for our suite; none elsewhere: mmdebstrap then knows its own."""
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    if release.get("ID") != "debian":
        return []
    codename = release.get("VERSION_CODENAME", "")
    sources = [
        f"deb {mirror} {_SUITE}{suite.removeprefix(codename)} main"
        for mirror, suite in apt.mirrors()
        if suite in (codename, f"{codename}-updates", f"{codename}-security")
    ]
    return list(dict.fromkeys(sources))
