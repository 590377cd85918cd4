"""A new machine becomes a Docker host by its user data alone, and stays one."""

from __future__ import annotations

import dataclasses
import subprocess
import time
from pathlib import Path

import pytest

from infra.machine.keys import HostKey
from infra.machine.machine import Machine
from infra.remote_shell import RefusedKeyError, StrangerError
from tests.vm.conftest import keygen, until_ready
from tests.vm.guest import Guest

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]

FENCED = "timeout 5 docker exec probe busybox wget -qO- http://169.254.169.254/user-data"


def test_cloud_init_itself_accepts_the_user_data(rendered: str, tmp_path: Path) -> None:
    file = tmp_path / "user-data"
    file.write_text(rendered)
    done = subprocess.run(
        ["cloud-init", "schema", "--config-file", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


class TestAfterFirstBoot:
    def test_docker_keeps_everything_on_the_disk_that_was_attached_late(self, prepared: Guest) -> None:
        assert prepared.run("docker info --format '{{.DockerRootDir}}'") == "/mnt/var/lib/docker"
        assert prepared.run("readlink /var/lib/docker") == "/mnt/var/lib/docker"
        assert prepared.run("findmnt -no LABEL /mnt") == "cyberhub-data"
        assert prepared.run("findmnt -no TARGET -T /var/lib/docker/image") == "/mnt"

    def test_docker_rotates_logs_and_survives_its_own_updates(self, prepared: Guest) -> None:
        said = prepared.run("docker info --format '{{.LoggingDriver}} {{.LiveRestoreEnabled}} {{.Driver}}'")
        assert said == "json-file true overlay2"

    def test_the_operator_uses_docker_without_sudo(self, prepared: Guest) -> None:
        assert prepared.run("docker ps --quiet", as_root=False) == ""

    def test_users_disk_space_can_be_limited(self, prepared: Guest) -> None:
        prepared.run("apt-get -q -y install --no-install-recommends quota busybox-static")
        prepared.run("cd /mnt; mkdir -m 777 limited; chattr +P -p 77 limited; setquota -P 77 0 2048 0 0 /mnt")
        # Root is above every quota.
        said = prepared.run("dd if=/dev/zero of=/mnt/limited/file bs=1M count=4 2>&1 || true", as_root=False)
        assert "Disk quota exceeded" in said or "No space left" in said
        prepared.run("rm -r /mnt/limited")

    def test_there_are_four_times_the_usual_inodes(self, prepared: Guest) -> None:
        inodes, blocks = prepared.run("df --output=itotal,size -k /mnt | tail -1").split()
        assert int(inodes) > int(blocks) / 4.5

    def test_many_connections_are_taken_and_no_passwords(self, prepared: Guest) -> None:
        settings = prepared.run("sshd -T").lower().splitlines()
        assert {"maxsessions 100", "maxstartups 100:30:200", "passwordauthentication no"} <= set(settings)

    def test_fuse_and_sshfs_are_there(self, prepared: Guest) -> None:
        assert prepared.run("stat -c %a /dev/fuse; command -v sshfs git wget").startswith(
            "666\n/usr/bin/sshfs"
        )

    def test_security_updates_come_by_themselves(self, prepared: Guest) -> None:
        said = prepared.run(
            "apt-config dump APT::Periodic::Unattended-Upgrade; systemctl is-enabled apt-daily-upgrade.timer"
        )
        assert said.splitlines() == ['APT::Periodic::Unattended-Upgrade "1";', "enabled"]

    def test_only_our_machine_is_talked_to(self, prepared: Guest, host_key: HostKey, tmp_path: Path) -> None:
        other = dataclasses.replace(prepared.ssh, host_key=keygen(tmp_path / "other"))
        with pytest.raises(StrangerError):
            Machine(other, "127.0.0.1").run("true")

    def test_only_the_operator_is_let_in(self, prepared: Guest, tmp_path: Path) -> None:
        keygen(tmp_path / "thief")
        thief = dataclasses.replace(prepared.ssh, key_file=str(tmp_path / "thief"))
        with pytest.raises(RefusedKeyError):
            Machine(thief, "127.0.0.1").run("true")


@pytest.fixture(scope="module")
def inhabited(prepared: Guest) -> Guest:
    """The machine with a container that is always there, an image and somebody's file."""
    prepared.run(
        """
        set -e
        echo precious >/mnt/data/notes
        mkdir -p /tmp/root/bin; cp /bin/busybox /tmp/root/bin/
        tar -C /tmp/root -c . | docker import - probe-image
        docker network create --label cyberhubs.stack=test --internal=false probe-network
        docker run -d --name probe --network probe-network --restart unless-stopped \
          --label cyberhubs.stack=test probe-image /bin/busybox sleep 1000000
        docker run -d --name neighbour --restart unless-stopped probe-image /bin/busybox sleep 1000000
        """
    )
    return prepared


class TestALivingMachine:
    def test_first_boot_again_disturbs_nothing(self, inhabited: Guest) -> None:
        before = inhabited.run(
            "pidof dockerd; docker inspect --format '{{.State.Pid}}' probe; md5sum /etc/fstab"
        )
        began = time.monotonic()
        inhabited.run("systemctl restart cyberhub-first-boot")
        print(f"\nfirst boot again: {time.monotonic() - began:.0f} s")
        after = inhabited.run(
            "pidof dockerd; docker inspect --format '{{.State.Pid}}' probe; md5sum /etc/fstab"
        )
        assert after == before
        assert inhabited.run("cat /mnt/data/notes") == "precious"

    def test_a_larger_volume_is_filled_without_a_reboot(self, inhabited: Guest, data_disk: Path) -> None:
        before = int(inhabited.run("df --output=size -BM /mnt | tail -1 | tr -dc 0-9"))
        inhabited.resize(16 * 1024**3)
        grown = "[ $(df --output=size -BM /mnt | tail -1 | tr -dc 0-9) -gt 15000 ]"
        inhabited.wait_for(grown, 60)
        assert before < 12500

    def test_containers_do_not_reach_the_metadata_service(self, inhabited: Guest) -> None:
        metadata_service(inhabited)
        mine = "wget -qO- --timeout=5 --tries=1 http://169.254.169.254/user-data"
        assert inhabited.run(mine) == "secret"
        assert inhabited.run(f"{FENCED} || echo refused") == "refused"
        # The same way is open without our rule, so the test would notice its loss.
        inhabited.run("iptables -w -t raw -D PREROUTING -d 169.254.169.254 -j DROP")
        assert inhabited.run(FENCED) == "secret"
        inhabited.run("systemctl restart docker")
        inhabited.run("systemctl restart cyberhub-metadata")
        assert inhabited.run(f"{FENCED} || echo refused") == "refused"

    def test_a_reboot_brings_everything_back(self, inhabited: Guest, data_disk: Path) -> None:
        inhabited.shut_down()
        began = time.monotonic()
        inhabited.start(data_disk)
        until_ready(inhabited)
        print(f"\nreboot: {time.monotonic() - began:.0f} s")
        assert inhabited.run("cat /mnt/data/notes") == "precious"
        assert inhabited.run("docker ps --format '{{.Names}}' | sort").split() == ["neighbour", "probe"]
        metadata_service(inhabited)
        assert inhabited.run(f"{FENCED} || echo refused") == "refused"

    def test_without_its_disk_docker_stays_off_until_the_disk_is_back(
        self, inhabited: Guest, data_disk: Path
    ) -> None:
        inhabited.shut_down()
        inhabited.start()
        inhabited.wait_for("grep -q '^stage=disk' /var/lib/cyberhub/first-boot", 300)
        inhabited.run("systemctl start docker || true")
        assert inhabited.run("systemctl is-active docker || true") != "active"
        assert inhabited.run("ls -A /mnt") == "", "nothing is written where the disk should be"
        inhabited.attach(data_disk)
        until_ready(inhabited)
        assert inhabited.run("cat /mnt/data/notes") == "precious"
        assert inhabited.run("docker ps --format '{{.Names}}' | sort").split() == ["neighbour", "probe"]


def metadata_service(guest: Guest) -> None:
    """Put what clouds have at that address beside the machine: another host on a link of its own."""
    guest.run(
        """
        set -e
        ip netns add cloud
        ip link add uplink type veth peer name eth0 netns cloud
        ip -n cloud address add 169.254.169.254/16 dev eth0
        ip -n cloud link set eth0 up
        ip address add 169.254.1.1/16 dev uplink
        ip link set uplink up
        mkdir -p /run/cloud; echo secret >/run/cloud/user-data
        systemd-run --quiet -p NetworkNamespacePath=/run/netns/cloud -p WorkingDirectory=/run/cloud \
          python3 -m http.server 80 --bind 169.254.169.254
        for try in 1 2 3 4 5 6 7 8 9 10; do
          wget -qO/dev/null --timeout=2 --tries=1 http://169.254.169.254/ && break
          sleep 1
        done
        """
    )


@pytest.fixture(scope="module")
def rebuilt(inhabited: Guest, rendered: str, data_disk: Path) -> Guest:
    inhabited.shut_down()
    broken = rendered.replace(
        '"write_files":[',
        '"write_files":[{"path":"/etc/apt/apt.conf.d/99broken",'
        '"content":"Acquire::http::Proxy \\"http://127.0.0.1:9\\"; Acquire::https::Proxy \\"http://127.0.0.1:9\\";"},',
    )
    assert broken != rendered
    inhabited.memory_mb = 1024
    inhabited.create(broken, "second")
    inhabited.start(data_disk)
    inhabited.wait_for("grep -q 'message=a mirror does not answer' /var/lib/cyberhub/first-boot", 400)
    inhabited.run("rm /etc/apt/apt.conf.d/99broken")
    inhabited.wait_for("grep -q 'Unpacking git' /var/log/cyberhub-first-boot.log", 400)
    inhabited.kill()
    inhabited.start(data_disk)
    until_ready(inhabited)
    return inhabited


class TestARebuiltMachine:
    """The same disk on a smaller machine that was made anew, with a mirror that is down and a power cut."""

    def test_it_gets_ready_all_the_same(self, rebuilt: Guest) -> None:
        assert rebuilt.machine.report().ready
        assert rebuilt.run("hostname") == "second"

    def test_users_files_are_as_they_were(self, rebuilt: Guest) -> None:
        assert rebuilt.run("cat /mnt/data/notes") == "precious"

    def test_images_are_there_and_our_containers_wait_for_the_next_update(self, rebuilt: Guest) -> None:
        assert rebuilt.run("docker images --format '{{.Repository}}'") == "probe-image"
        assert rebuilt.run("docker ps --all --format '{{.Names}}'") == "neighbour"
        assert "probe-network" not in rebuilt.run("docker network ls --format '{{.Name}}'")

    def test_a_small_machine_has_swap_and_prefers_compressing(self, rebuilt: Guest) -> None:
        kinds = rebuilt.run("swapon --noheadings --show=NAME,PRIO").splitlines()
        assert [line.split() for line in kinds if "cyberhub" in line] == [["/var/cyberhub.swap", "10"]]
        if rebuilt.run("modprobe --dry-run zram && echo there || true") == "there":
            assert [line.split() for line in kinds if "zram" in line] == [["/dev/zram0", "100"]]
        assert rebuilt.run("cat /proc/sys/vm/swappiness") == "120"
