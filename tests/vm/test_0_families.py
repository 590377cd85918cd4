"""First boot on every family of Linux, with stand-ins for what would change the machine.

The script runs whole, in a mount space of its own, over copies of /etc, /var and /usr/local that are
gone afterwards. Needs root. What real mirrors and a real systemd make of it, only a real machine shows.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.machine.first_boot import FirstBoot, host_files

pytestmark = pytest.mark.vm

SYSTEMS = {
    "AlmaLinux 9": 'ID="almalinux"\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="AlmaLinux 9.6"\n',
    "Rocky Linux 9": 'ID="rocky"\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="Rocky Linux 9.6"\n',
    "Amazon Linux 2023": 'ID="amzn"\nID_LIKE="fedora"\nPRETTY_NAME="Amazon Linux 2023"\n',
    "Debian 12": "ID=debian\n",
    "Debian 13": "ID=debian\n",
    "Ubuntu 24.04": "ID=ubuntu\nID_LIKE=debian\n",
}
RED_HATS = ("AlmaLinux 9", "Rocky Linux 9", "Amazon Linux 2023")
DEBIANS = ("Debian 12", "Debian 13", "Ubuntu 24.04")

STAND_IN = """#!/bin/sh
echo "${0##*/} $*" >>/calls/all
"""
HARMLESS = (
    "systemctl",
    "modprobe",
    "sysctl",
    "udevadm",
    "usermod",
    "sshd",
    "sleep",
    "semanage",
    "restorecon",
)
PACKAGE_MANAGER = """
[ -e /calls/mirror-up ] || { echo "no mirror" >&2; exit 1; }
case "$*" in
  *" install "*docker*) for name in docker dockerd; do
    printf '#!/bin/sh\\necho "docker $*" >>/calls/all\\necho 28.1.1\\n' >/usr/local/bin/$name
    chmod +x /usr/local/bin/$name; done ;;
  *" install "*dnf-automatic*)
    printf 'upgrade_type = default\\napply_updates = no\\n' >/etc/dnf/automatic.conf ;;
esac
"""
# The second sleep is when the mirror comes back.
MIRROR_RETURNS = '[ "$(grep -c ^sleep /calls/all)" -lt 2 ] || touch /calls/mirror-up\n'

DRIVER = """set -e
for folder in /etc /var /usr; do
  work=$(mktemp -d -p /calls); mkdir $work/upper $work/work
  mount -t overlay overlay -o lowerdir=$folder,upperdir=$work/upper,workdir=$work/work $folder
done
mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /srv
rm -rf /etc/docker /etc/apt/apt.conf.d/90-cyberhub /usr/bin/docker* /usr/sbin/docker* /usr/local/bin/docker*
mkdir -p /etc/ssh /etc/dnf /srv/data
[ -e /calls/no-systemd ] || mkdir -p /run/systemd/system
cp -a /calls/root/. /
code=0
/usr/local/sbin/cyberhub-first-boot || code=$?
mkdir /calls/result
cd /etc
cp -a /var/lib/cyberhub /var/log/cyberhub-first-boot.log /calls/result/
for folder in docker yum.repos.d dnf ssh/sshd_config.d apt/apt.conf.d; do
  [ ! -e $folder ] || cp -a $folder /calls/result/
done
exit $code
"""


@dataclass
class Outcome:
    """What a run of first boot did."""

    code: int
    calls: list[str]
    folder: Path

    @property
    def status(self) -> dict[str, str]:
        """The status file."""
        lines = (self.folder / "cyberhub" / "first-boot").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def text(self, path: str) -> str:
        """A file it left, or nothing."""
        file = self.folder / path
        return file.read_text() if file.exists() else ""

    def called(self, *words: str) -> bool:
        """Whether a command with all of these words was run."""
        return any(all(word in call.split() for word in words) for call in self.calls)


@dataclass
class Bench:
    """Where first boot runs."""

    folder: Path

    def put(self, path: str, text: str, mode: int = 0o755) -> None:
        """Have a file on the machine."""
        file = self.folder / "root" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def run(self, system: str, *, ours_alone: bool = True) -> Outcome:
        """Run first boot."""
        plan = FirstBoot(user="root", data_dir="/srv/data", data_disk=(), ours_alone=ours_alone)
        for file in host_files(plan):
            if not file.path.startswith("/etc/systemd"):
                self.put(file.path, file.text, file.mode)
        self.put("/etc/os-release", SYSTEMS.get(system, system), 0o644)
        done = subprocess.run(
            [
                "unshare",
                "--mount",
                "bash",
                "-c",
                f"mkdir -p /calls; mount --bind {self.folder} /calls; {DRIVER}",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        result = self.folder / "result"
        assert result.exists(), done.stderr
        calls = (self.folder / "all").read_text().splitlines()
        return Outcome(done.returncode, calls, result)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    for name in HARMLESS:
        bench.put(f"/usr/local/sbin/{name}", STAND_IN)
    bench.put("/usr/local/sbin/sleep", STAND_IN + "[ ! -e /calls/mirror-returns ] || " + MIRROR_RETURNS)
    for name in ("dnf", "apt-get"):
        bench.put(f"/usr/local/sbin/{name}", STAND_IN + PACKAGE_MANAGER)
    for name in ("apt-cache", "dpkg"):
        bench.put(f"/usr/local/sbin/{name}", STAND_IN)
    for name in ("all", "mirror-up"):
        (tmp_path / name).touch()
    return bench


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_new_machine_gets_all_updates_the_tools_and_docker(bench: Bench, system: str) -> None:
    outcome = bench.run(system)
    assert outcome.code == 0, outcome.text("cyberhub-first-boot.log")
    assert outcome.status["state"] == "done"
    manager = "dnf" if system in RED_HATS else "apt-get"
    assert outcome.called(manager, "upgrade")
    assert outcome.called(manager, "install", "git", "wget")
    assert outcome.called("systemctl", "enable", "docker.service")
    assert outcome.called("systemctl", "enable", "--now", "cyberhub-metadata.service")
    assert '"live-restore": true' in outcome.text("docker/daemon.json")
    assert "PasswordAuthentication no" in outcome.text("sshd_config.d/10-cyberhub.conf")


@pytest.mark.parametrize("system", ["AlmaLinux 9", "Rocky Linux 9"])
def test_red_hats_relatives_take_docker_from_docker(bench: Bench, system: str) -> None:
    outcome = bench.run(system)
    assert "linux/centos/$releasever/$basearch" in outcome.text("yum.repos.d/docker-ce.repo")
    assert "gpgcheck=1" in outcome.text("yum.repos.d/docker-ce.repo")
    assert outcome.called("dnf", "install", "--allowerasing", "docker-ce", "docker-ce-cli", "containerd.io")


def test_amazon_linux_has_its_own_docker_and_leaves_its_first_release(bench: Bench) -> None:
    outcome = bench.run("Amazon Linux 2023")
    assert outcome.called("dnf", "install", "docker")
    assert outcome.text("yum.repos.d/docker-ce.repo") == ""
    assert outcome.text("dnf/vars/releasever") == "latest\n"


@pytest.mark.parametrize("system", DEBIANS)
def test_debians_relatives_take_their_own_docker(bench: Bench, system: str) -> None:
    outcome = bench.run(system)
    assert outcome.called("apt-get", "install", "docker.io", "docker-cli")


def test_where_docker_brings_its_command_along_no_other_package_is_asked_for(bench: Bench) -> None:
    bench.put("/usr/local/sbin/apt-cache", STAND_IN + "exit 100\n")
    outcome = bench.run("Debian 12")
    assert outcome.called("apt-get", "install", "docker.io")
    assert not outcome.called("apt-get", "docker-cli")


@pytest.mark.parametrize("system", SYSTEMS)
def test_security_updates_come_by_themselves(bench: Bench, system: str) -> None:
    outcome = bench.run(system)
    if system in RED_HATS:
        assert outcome.text("dnf/automatic.conf") == "upgrade_type = security\napply_updates = yes\n"
        assert outcome.called("systemctl", "enable", "--now", "dnf-automatic.timer")
    else:
        assert 'Unattended-Upgrade "1"' in outcome.text("apt.conf.d/90-cyberhub")
        assert outcome.called("apt-get", "install", "unattended-upgrades")


@pytest.mark.parametrize("system", ["AlmaLinux 9", "Debian 13"])
def test_on_somebodys_own_server_updates_and_passwords_are_theirs(bench: Bench, system: str) -> None:
    outcome = bench.run(system, ours_alone=False)
    assert outcome.status["state"] == "done"
    assert not outcome.called("upgrade")
    assert not outcome.called("install", "unattended-upgrades")
    assert not outcome.called("install", "dnf-automatic")
    assert "PasswordAuthentication" not in outcome.text("sshd_config.d/10-cyberhub.conf")
    assert "MaxSessions 100" in outcome.text("sshd_config.d/10-cyberhub.conf")
    assert outcome.called("install", "docker.io") or outcome.called("install", "docker-ce")


def test_a_docker_that_was_there_before_keeps_its_settings(bench: Bench) -> None:
    for name in ("docker", "dockerd"):
        bench.put(f"/usr/local/bin/{name}", STAND_IN)
    bench.put("/etc/docker/daemon.json", '{"data-root": "/tank/docker"}\n', 0o644)
    outcome = bench.run("Debian 13", ours_alone=False)
    assert outcome.status["state"] == "done"
    assert outcome.text("docker/daemon.json") == '{"data-root": "/tank/docker"}\n'
    assert not outcome.called("install", "docker.io")
    assert not outcome.called("systemctl", "stop", "docker.service")


@pytest.mark.parametrize("system", ["AlmaLinux 9", "Debian 13"])
def test_a_mirror_that_comes_back_is_waited_for(bench: Bench, system: str) -> None:
    (bench.folder / "mirror-up").unlink()
    (bench.folder / "mirror-returns").touch()
    outcome = bench.run(system)
    assert outcome.status["state"] == "done"
    assert [call for call in outcome.calls if call.startswith("sleep")] == ["sleep 5", "sleep 15"]


@pytest.mark.parametrize("system", ["AlmaLinux 9", "Debian 13"])
def test_a_mirror_that_stays_away_is_tried_again_by_the_unit(bench: Bench, system: str) -> None:
    (bench.folder / "mirror-up").unlink()
    outcome = bench.run(system)
    assert outcome.code == 75, "systemd starts the unit again after every code but 2"
    assert outcome.status["state"] == "waiting"
    assert outcome.status["message"] == "packages cannot be fetched: no mirror answers"


def test_another_linux_is_refused_by_name(bench: Bench) -> None:
    outcome = bench.run('ID=alpine\nPRETTY_NAME="Alpine Linux v3.21"\n')
    assert outcome.code == 2, "systemd does not try that again"
    assert outcome.status["state"] == "failed"
    assert outcome.status["message"].startswith("Alpine Linux v3.21 is not supported; use AlmaLinux")


def test_a_machine_without_systemd_is_refused(bench: Bench) -> None:
    (bench.folder / "no-systemd").touch()
    outcome = bench.run("Debian 13")
    assert outcome.code == 2
    assert "does not run systemd" in outcome.status["message"]


def test_a_user_who_does_not_exist_is_named(bench: Bench) -> None:
    bench.put("/usr/local/sbin/id", STAND_IN + "exit 1\n")
    outcome = bench.run("Debian 13")
    assert outcome.code == 2
    assert outcome.status["message"] == "the user root does not exist on this machine; correct cloud.sshUser"


def test_the_second_run_fetches_nothing(bench: Bench) -> None:
    bench.run("Debian 13")
    shutil.copytree(bench.folder / "result" / "cyberhub", bench.folder / "root" / "var/lib/cyberhub")
    for name in ("docker", "dockerd"):
        bench.put(f"/usr/local/bin/{name}", STAND_IN)
    shutil.rmtree(bench.folder / "result")
    (bench.folder / "all").write_text("")
    outcome = bench.run("Debian 13")
    assert outcome.status["state"] == "done"
    assert not outcome.called("apt-get")
