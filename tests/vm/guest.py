"""A virtual machine in software emulation, reached over SSH on a forwarded port of this machine."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.host import Ssh
from infra.machine.machine import Machine
from infra.remote_shell import CommandError
from tests.vm.guest_image import GuestImage

DISK_ID = "6f1c2a9e-88d1-4f0b-9"
"""The first 20 characters of a volume's id: what a virtio disk has room for."""

DISK_NAMES = (f"/dev/disk/by-id/*{DISK_ID}*",)


@dataclass(kw_only=True)
class Guest:
    """One machine: its root disk, its user data, and the data disk that may outlive it."""

    folder: Path
    image: GuestImage
    ssh: Ssh
    memory_mb: int = 2560
    cpus: int = 3
    forwards: dict[int, int] = field(default_factory=dict)
    """Ports of this machine to those of the guest, beside SSH's."""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def machine(self) -> Machine:
        """The guest as the program sees it."""
        return Machine(self.ssh, "127.0.0.1")

    def create(self, user_data: str, instance: str) -> None:
        """Make a machine that has never started, with these user data."""
        self.folder.mkdir(parents=True, exist_ok=True)
        root = self.folder / "root.qcow2"
        root.unlink(missing_ok=True)
        _run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(self.image.root), str(root))
        seed = self.folder / "seed"
        seed.mkdir(exist_ok=True)
        (seed / "user-data").write_text(user_data)
        (seed / "meta-data").write_text(json.dumps({"instance-id": instance, "local-hostname": instance}))
        _run(
            *("genisoimage", "-quiet", "-output", str(self.folder / "seed.iso"), "-volid", "cidata"),
            *("-joliet", "-rock", str(seed / "user-data"), str(seed / "meta-data")),
        )

    def start(self, data_disk: Path | None = None) -> None:
        """Switch it on, with the data disk or without."""
        forwards = {self.ssh.port: 22, **self.forwards}
        rules = ",".join(f"hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in forwards.items())
        console = self.folder / "console.log"
        self._socket.unlink(missing_ok=True)
        command = [
            "qemu-system-x86_64",
            *("-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max", "-smp", str(self.cpus)),
            *("-m", str(self.memory_mb), "-display", "none", "-nodefaults", "-no-reboot"),
            *("-serial", f"file:{console}", "-qmp", f"unix:{self._socket},server,wait=off"),
            *("-kernel", str(self.image.kernel), "-initrd", str(self.image.initrd)),
            *("-append", "root=/dev/vda ro console=ttyS0 net.ifnames=0 mitigations=off quiet"),
            *("-drive", f"file={self.folder / 'root.qcow2'},if=virtio,cache=unsafe,discard=unmap"),
            *("-drive", f"file={self.folder / 'seed.iso'},if=virtio,format=raw,readonly=on"),
            *("-device", "virtio-rng-pci", "-device", "pcie-root-port,id=data-slot"),
            *("-M", "q35", "-netdev", f"user,id=net,{rules}", "-device", "virtio-net-pci,netdev=net"),
        ]
        # qemu's own -no-reboot turns a reboot into an end of the process, which `reboot` waits for.
        with (self.folder / "qemu.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 20
        while True:
            try:
                self.qmp("query-status")
                break
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(
                        f"qemu did not start:\n{(self.folder / 'qemu.log').read_text()[-2000:]}"
                    ) from error
                time.sleep(0.1)
        if data_disk is not None:
            self.attach(data_disk)

    def attach(self, disk: Path) -> None:
        """Plug the data disk in, as a cloud attaches a volume to a running machine."""
        options = {"node-name": "volume", "driver": "raw", "cache": {"no-flush": True}}
        self.qmp("blockdev-add", **options, file={"driver": "file", "filename": str(disk)})
        self.qmp(
            "device_add", driver="virtio-blk-pci", id="data", drive="volume", serial=DISK_ID, bus="data-slot"
        )

    def resize(self, disk_bytes: int) -> None:
        """Make the data disk larger under the running machine."""
        self.qmp("block_resize", **{"node-name": "volume", "size": disk_bytes})

    def qmp(self, command: str, **arguments: Any) -> Any:
        """Tell qemu something."""
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(30)
            channel.connect(str(self._socket))
            lines = channel.makefile("rwb")
            lines.readline()
            for call in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                lines.write(json.dumps(call).encode() + b"\n")
                lines.flush()
                while "event" in (answer := json.loads(lines.readline())):
                    pass
        if "error" in answer:
            raise RuntimeError(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def run(self, script: str, *, as_root: bool = True) -> str:
        """What a shell script prints in it."""
        return self.machine.run(script, as_root=as_root).strip()

    def wait_for(self, script: str, seconds: float) -> str:
        """What a shell script prints in it, once it succeeds; it is asked again until then."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.run(script)
            except CommandError as error:
                if time.monotonic() > end:
                    raise AssertionError(f"not within {seconds:.0f} s: {script}: {error}") from error
                time.sleep(2)

    def shut_down(self) -> None:
        """Switch it off as a person would."""
        assert self._process is not None
        self.qmp("system_powerdown")
        try:
            self._process.wait(120)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Cut its power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def console(self) -> str:
        """The end of what its console showed."""
        return (self.folder / "console.log").read_text(errors="replace")[-4000:]

    @property
    def _socket(self) -> Path:
        return self.folder / "qmp"


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
