"""The container that the rig runs in: its image, its network, its life."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.openstack.rig import configuration, ranges
from tests.openstack.rig.place import BRIDGE, HOST, Place
from tests.vm.guest_image import sources
from tools.toolchain import apt
from tools.toolchain.console import step
from tools.toolchain.places import cache

NAME: Final = "cyberhubs-openstack-rig"
"""Of the container and of its network."""

_SUITE: Final = "bookworm"
"""The last Debian whose neutron (Zed) has the linuxbridge agent."""

_PACKAGES: Final = (
    *("ca-certificates", "curl", "iproute2", "iputils-ping", "kmod", "procps", "sudo", "supervisor", "udev"),
    *("mariadb-server", "rabbitmq-server", "memcached"),
    *("keystone", "glance-api", "placement-api"),
    *("nova-api", "nova-conductor", "nova-scheduler", "nova-compute", "nova-compute-kvm"),
    *("neutron-server", "neutron-linuxbridge-agent", "neutron-dhcp-agent", "neutron-l3-agent"),
    *("neutron-metadata-agent", "cinder-api", "cinder-scheduler", "cinder-volume"),
    *("uwsgi-core", "uwsgi-plugin-python3", "python3-pymysql"),
    *("libvirt-daemon-system", "libvirt-daemon-driver-qemu", "libvirt-clients"),
    *("qemu-system-x86", "qemu-utils", "qemu-block-extra"),
    *("dnsmasq-base", "haproxy", "iptables", "ipset", "conntrack", "ebtables", "arptables"),
    *("genisoimage", "iputils-arping"),
)

_CAPABILITIES: Final = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"),
    *("SETPCAP", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER"),
    *("SYS_CHROOT", "SYS_PTRACE", "SYS_ADMIN", "SYS_NICE", "MKNOD", "AUDIT_WRITE", "SETFCAP"),
)
"""What the services need. Docker's --privileged asks for all there are, and fails where root has not all."""

_DATA: Final = ("/var/lib/nova", "/var/lib/glance", "/var/lib/cinder", "/var/lib/mysql", "/srv")
"""Folders that are kept off the container's layered filesystem."""

_PASSWORD: Final = "/etc/rig-password"

_FILES: Final = Path(__file__).with_name("files")


def place() -> Place | None:
    """Where the rig listens; None when it does not run."""
    container = _container()
    if container is None or not container["State"]["Running"]:
        return None
    labels = container["Config"]["Labels"]
    return Place(labels["rig.address"], labels["rig.external"], run("cat", _PASSWORD).strip())


def _container() -> dict[str, Any] | None:
    """What Docker says of the container; None when there is none, though its network may be left."""
    known = subprocess.run(
        ["docker", "container", "inspect", NAME], capture_output=True, text=True, check=False
    )
    if known.returncode != 0:
        return None
    (container,) = json.loads(known.stdout)
    return dict(container)


def create() -> Place:
    """Start the container and prepare it up to a keystone that answers."""
    image = _image()
    services = ranges.free(ranges.SERVICES)
    external = ranges.free(ranges.FLOATING)
    made = Place(str(services[2]), str(external), secrets.token_hex(16))
    _docker("network", "create", "--subnet", str(services), "--gateway", str(services[1]), NAME)
    _docker(
        *("create", "--name", NAME, "--hostname", HOST, "--network", NAME, "--ip", made.address),
        *("--label", f"rig.address={made.address}", "--label", f"rig.external={external}"),
        *("--cap-drop", "ALL", *(word for name in _CAPABILITIES for word in ("--cap-add", name))),
        # The network agents write kernel settings of the container's own network.
        *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
        *("--security-opt", "systempaths=unconfined", "--device", "/dev/net/tun"),
        *(word for folder in _DATA for word in ("--volume", folder)),
        *(image, "supervisord", "--configuration", "/etc/supervisor/supervisord.conf"),
    )
    _copy(made)
    _docker("start", NAME)
    gateway = f"{made.gateway}/{made.external.prefixlen}"
    run("/usr/local/sbin/prepare.sh", gateway, BRIDGE, _PASSWORD, made.identity_url)
    # Floating IPs are in the container's network; this machine's way there.
    _run("ip", "route", "add", str(external), "via", made.address)
    return made


def remove() -> None:
    """Take away what there is of the rig, whichever step it came to: route, container, network.

    Raises RuntimeError with Docker's words when something stays.
    """
    container = _container()
    if container is not None:
        labels = container["Config"]["Labels"]
        way = (labels["rig.external"], "via", labels["rig.address"])
        # There is none when it failed before its last step.
        subprocess.run(["ip", "route", "del", *way], capture_output=True, check=False)
    for kind, words in (
        ("container", ("rm", "--force", "--volumes", NAME)),
        ("network", ("network", "rm", NAME)),
    ):
        inspected = ["docker", kind, "inspect", NAME]
        if subprocess.run(inspected, capture_output=True, check=False).returncode == 0:
            _docker(*words)


def run(*words: str) -> str:
    """What a command prints in the container. Raises RuntimeError with its complaint."""
    return _docker("exec", NAME, *words)


def _copy(made: Place) -> None:
    """Put all files into the container, which has not started yet."""
    texts = configuration.files(made) | {_PASSWORD: made.password}
    programs = {
        "/usr/local/sbin/prepare.sh": (_FILES / "prepare.sh").read_text(),
        "/sbin/mount.nfs": (_FILES / "mount.nfs").read_text(),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, text in (texts | programs).items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            content = text.encode()
            entry.size, entry.mode = len(content), 0o755 if path in programs else 0o644
            archive.addfile(entry, io.BytesIO(content))
        sockets = tarfile.TarInfo("run/mysqld")  # mariadb does not make the folder of its socket
        sockets.type, sockets.mode = tarfile.DIRTYPE, 0o777
        archive.addfile(sockets)
    subprocess.run(["docker", "cp", "-", f"{NAME}:/"], input=packed.getvalue(), check=True)


def _image() -> str:
    """The container's image, made once from Debian's packages."""
    command = _mmdebstrap()
    key = hashlib.sha256(repr(command).encode()).hexdigest()[:12]
    name = f"{NAME}:{key}"
    if subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False).returncode == 0:
        return name
    cache().mkdir(parents=True, exist_ok=True)
    with (
        step("Making the rig's image from Debian's packages, once", "3 minutes"),
        tempfile.TemporaryDirectory(prefix=".rig.", dir=cache()) as folder,
    ):
        tar = str(Path(folder) / "image.tar")
        _run(*command, tar, *sources(_SUITE))
        _docker("import", tar, name)
    return name


def _mmdebstrap() -> list[str]:
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        "--format=tar",
        f"--include={','.join(_PACKAGES)}",
        "--aptopt=Apt::Install-Recommends false",
        *(f"--aptopt={option}" for option in apt.access_options()),
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "locale")),
        "--dpkgopt=force-unsafe-io",
        # Packages start nothing; mmdebstrap sees to it while it installs, and nothing is installed later.
        '--customize-hook=mkdir -p "$1"/var/log/rig',
        '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin',
        _SUITE,
    ]


def _docker(*words: str) -> str:
    return _run("docker", *words)


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words[:3])} ... failed:\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
    return done.stdout
