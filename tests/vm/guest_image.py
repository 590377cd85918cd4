"""A Debian cloud image as clouds have them, made from Debian's packages: cloud-init, sshd, no Docker."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.toolchain import apt
from tools.toolchain.cache import build_once

SUITES: Final = {"bookworm": "Debian 12", "trixie": "Debian 13"}

_PACKAGES: Final = (
    "linux-image-cloud-amd64",
    "initramfs-tools",
    "cloud-init",
    "openssh-server",
    "sudo",
    "systemd-sysv",
    "systemd-resolved",
    "dbus",
    "libpam-systemd",
    "udev",
    "kmod",
    "e2fsprogs",
    "iproute2",
    "ca-certificates",
)

_ROOT_GB: Final = 8

_CERTIFICATES: Final = Path("/usr/local/share/ca-certificates")

_CLOUD_CFG: Final = """\
datasource_list: [NoCloud, ConfigDrive, OpenStack, None]
apt: {preserve_sources_list: true}
manage_etc_hosts: true
locale: false
"""


@dataclass(frozen=True)
class GuestImage:
    """A root filesystem and what boots it, for qemu's -kernel and -initrd."""

    root: Path
    """qcow2, to be used below an overlay only."""
    kernel: Path
    initrd: Path


def guest_image(suite: str, *, more: tuple[str, ...] = ()) -> GuestImage:
    """The image of a Debian suite, made once and kept in the cache. Needs root and two minutes.

    :param more: packages that it holds beside the least.
    """
    made_of = (suite, more, Path(__file__).read_text(), sources(suite))
    key = hashlib.sha256(repr(made_of).encode()).hexdigest()
    folder = build_once(f"guest-{suite}", key[:16], lambda made: _build(suite, more, made))
    return GuestImage(folder / "root.qcow2", folder / "vmlinuz", folder / "initrd.img")


def _build(suite: str, more: tuple[str, ...], made: Path) -> None:
    tree, raw = made / "tree", made / "root.raw"
    cloud_cfg = made / "90-test.cfg"
    cloud_cfg.write_text(_CLOUD_CFG)
    _run(
        "mmdebstrap",
        "--mode=root",
        "--variant=apt",
        "--format=directory",
        f"--include={','.join((*_PACKAGES, *more))}",
        "--aptopt=Apt::Install-Recommends false",
        *(f"--aptopt={option}" for option in apt.access_options()),
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        *(f"--customize-hook=copy-in {file} {file.parent}" for file in sorted(_CERTIFICATES.glob("*.crt"))),
        '--customize-hook=chroot "$1" update-ca-certificates',
        f"--customize-hook=copy-in {cloud_cfg} /etc/cloud/cloud.cfg.d",
        # As images are that clouds hand out: every machine makes its own identity.
        '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname',
        '--customize-hook=echo uninitialized >"$1"/etc/machine-id',
        '--customize-hook=chroot "$1" systemctl enable systemd-networkd systemd-resolved',
        # qemu is handed the kernel; making an initrd anew in emulation takes minutes for nothing.
        '--customize-hook=echo "update_initramfs=no" >"$1"/etc/initramfs-tools/update-initramfs.conf',
        '--customize-hook=ln -sf /run/systemd/resolve/stub-resolv.conf "$1"/etc/resolv.conf',
        '--customize-hook=echo "/dev/vda / ext4 defaults 0 1" >"$1"/etc/fstab',
        '--customize-hook=rm -rf "$1"/var/lib/apt/lists/*',
        suite,
        str(tree),
        *sources(suite),
    )
    for name in ("vmlinuz", "initrd.img"):
        newest = max((tree / "boot").glob(f"{name}-*"))
        shutil.copy(newest, made / name)
    with raw.open("wb") as file:
        file.truncate(_ROOT_GB * 1024**3)
    _run("mkfs.ext4", "-q", "-L", "root", "-d", str(tree), str(raw))
    _run("qemu-img", "convert", "-O", "qcow2", str(raw), str(made / "root.qcow2"))
    raw.unlink()
    shutil.rmtree(tree)


def sources(suite: str) -> list[str]:
    """This machine's mirrors, asked for that suite; none: mmdebstrap knows its own."""
    ours = {name for _, name in apt.mirrors()}
    base = next((name for name in SUITES if name in ours), None)
    if base is None:
        return []
    return sorted(
        {
            f"deb {mirror} {suite}{name.removeprefix(base)} main"
            for mirror, name in apt.mirrors()
            if name.startswith(base)
        }
    )


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]} failed:\n{done.stderr[-3000:]}")
