"""What the operator sees while a machine gets ready, and what they are told when it does not."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pulumi
import pytest

from infra.host import Ssh
from infra.machine import readiness
from infra.machine.first_boot import FirstBoot, digest
from infra.machine.machine import Machine

SSH = Ssh(user="debian", key_file="/keys/mine", host_key="ssh-ed25519 AAAAhost", port=2222)
PLAN = FirstBoot(user="debian", data_dir="/mnt", data_disk=(), ours_alone=False)

Answers = Callable[..., None]


def says(**values: str) -> str:
    """An answer of the machine to the question how far it is."""
    return "".join(f"{name}={value}\n" for name, value in values.items())


READY = says(state="done", stage="machine", digest=digest(PLAN), docker="28.1.1")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine behind an ssh of our own, which gives the prepared answers in turn."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/bash
cd {tmp_path}
script=$(cat)
printf '%s\\n' "${{*: -2}}" >>called
printf '%s\\n' "$script" >>asked
case $script in
  *"state=absent"*) ;;
  "tail "*) echo "E: the mirror is gone"; exit ;;
  *) echo changed >>changes; exit "$(cat changes-code 2>/dev/null || echo 0)" ;;
esac
number=$(cat next 2>/dev/null || echo 1)
while [ ! -e "answer-$number" ]; do number=$((number - 1)); done
echo $((number + 1)) >next
cat "answer-$number"
cat "error-$number" >&2
exit "$(cat "code-$number")"
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setattr(readiness, "_PAUSE_SECONDS", 0.001)
    return Machine(SSH, "192.0.2.7")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the operator is told."""
    lines: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lines.append)
    return lines


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    """Prepare what the machine answers in turn; the last answer is repeated."""

    def prepare(*given: str | tuple[int, str]) -> None:
        for number, answer in enumerate(given, 1):
            code, text = answer if isinstance(answer, tuple) else (0, answer)
            (tmp_path / f"answer-{number}").write_text("" if code else text)
            (tmp_path / f"error-{number}").write_text(text if code else "")
            (tmp_path / f"code-{number}").write_text(str(code))

    return prepare


def watch(machine: Machine, first_boot: FirstBoot | None = None) -> None:
    asyncio.run(readiness.Watch(machine, first_boot).until_ready())


def failure(machine: Machine, first_boot: FirstBoot | None = None) -> str:
    with pytest.raises(pulumi.RunError) as error:
        watch(machine, first_boot)
    return str(error.value)


NO_ROUTE = (255, "ssh: connect to host 192.0.2.7 port 2222: Connection timed out\n")
REFUSED = (255, "debian@192.0.2.7: Permission denied (publickey).\n")
STRANGER = (255, "No ED25519 host key is known for 192.0.2.7.\nHost key verification failed.\n")


class TestAMachineThatGetsReady:
    def test_each_stage_is_told_once(self, machine: Machine, answers: Answers, told: list[str]) -> None:
        answers(
            NO_ROUTE,
            NO_ROUTE,
            says(state="absent", cloud_init="running"),
            says(state="running", stage="packages"),
            says(state="running", stage="packages"),
            says(state="waiting", stage="disk", message="the data disk is not attached"),
            says(state="running", stage="docker"),
            says(state="done", docker_error="Cannot connect to the Docker daemon"),
            READY,
        )
        watch(machine)
        assert [line.removeprefix("machine 192.0.2.7: ").rpartition(" (")[0] for line in told] == [
            "does not answer yet",
            "starts up",
            "first boot, updates and packages",
            "first boot, disk: the data disk is not attached; it tries again",
            "first boot, Docker",
            "waits for Docker: Cannot connect to the Docker daemon",
            "ready, with Docker 28.1.1",
        ]

    def test_a_machine_that_is_ready_costs_one_connection_and_no_word(
        self, machine: Machine, answers: Answers, tmp_path: Path, told: list[str]
    ) -> None:
        answers(READY)
        watch(machine)
        assert (tmp_path / "called").read_text() == "debian@192.0.2.7 sh -s\n"
        assert told == []

    def test_a_key_that_is_refused_for_a_moment_is_no_error(self, machine: Machine, answers: Answers) -> None:
        answers(STRANGER, REFUSED, READY)
        watch(machine)

    def test_a_busy_machine_that_misses_a_look_late_in_its_first_boot_is_waited_for(
        self, machine: Machine, answers: Answers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Half a minute passes between two looks at the clock: ten minutes of packages, then one missed look.
        clock = itertools.count(step=30)
        monkeypatch.setattr(readiness, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        answers(*[says(state="running", stage="packages")] * 10, NO_ROUTE, READY)
        watch(machine)
        assert next(clock) > readiness._UNREACHABLE_SECONDS


class TestAMachineThatDoesNot:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("_PATIENCE_SECONDS", "_UNREACHABLE_SECONDS", "_REFUSED_SECONDS"):
            monkeypatch.setattr(readiness, name, 0.05)

    def test_unreachable_means_a_firewall_or_a_machine_that_is_off(
        self, machine: Machine, answers: Answers
    ) -> None:
        answers(NO_ROUTE)
        text = failure(machine)
        assert "192.0.2.7 does not answer on port 2222" in text
        assert "Connection timed out" in text
        assert "cloud.adminCidrs" in text

    def test_a_refused_key_is_named_with_its_user(self, machine: Machine, answers: Answers) -> None:
        answers(REFUSED)
        text = failure(machine)
        assert "does not accept the key /keys/mine for the user debian" in text
        assert "cloud.sshUser" in text

    def test_another_host_key_is_another_machine(self, machine: Machine, answers: Answers) -> None:
        answers(STRANGER)
        text = failure(machine)
        assert "is not the stack's machine" in text
        assert "ssh-ed25519 AAAAhost" in text

    def test_a_failed_first_boot_shows_the_end_of_its_log(
        self, machine: Machine, answers: Answers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(readiness, "_PATIENCE_SECONDS", 60)
        answers(
            says(state="running", stage="disk"),
            says(state="failed", stage="disk", message="the data disk /dev/vdc is not empty"),
        )
        text = failure(machine)
        assert "failed, at disk: the data disk /dev/vdc is not empty" in text
        assert "E: the mirror is gone" in text
        assert "ssh -i /keys/mine" in text
        assert "run pulumi up again" in text

    def test_waiting_without_end_is_given_up_with_the_reason(
        self, machine: Machine, answers: Answers
    ) -> None:
        answers(says(state="waiting", stage="packages", message="no mirror answers"))
        assert "is not done after 0 minutes, at packages: no mirror answers" in failure(machine)

    def test_a_machine_without_user_data_is_recognized(
        self, machine: Machine, answers: Answers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(readiness, "_PATIENCE_SECONDS", 60)
        answers(says(state="absent", cloud_init="done"))
        assert "did not get its user data" in failure(machine)


class TestAFailureOfAnEarlierRun:
    def test_first_boot_is_started_again(self, machine: Machine, answers: Answers, tmp_path: Path) -> None:
        answers(says(state="failed", stage="disk", message="not empty"), says(state="running"), READY)
        watch(machine)
        assert "systemctl restart --no-block cyberhub-first-boot.service" in (tmp_path / "asked").read_text()
        assert (tmp_path / "changes").read_text() == "changed\n"
        assert "debian@192.0.2.7 sudo -n sh -s\n" in (tmp_path / "called").read_text()

    def test_it_is_tried_only_once(self, machine: Machine, answers: Answers, tmp_path: Path) -> None:
        answers(says(state="failed", stage="disk", message="still not empty"))
        assert "still not empty" in failure(machine)
        assert (tmp_path / "changes").read_text() == "changed\n"


class TestAServer:
    def test_a_bare_one_is_prepared_over_ssh(
        self, machine: Machine, answers: Answers, tmp_path: Path
    ) -> None:
        answers(says(state="absent"), says(state="running", digest=digest(PLAN)), READY)
        watch(machine, PLAN)
        asked = (tmp_path / "asked").read_text()
        assert "/usr/local/sbin/cyberhub-first-boot" in asked
        assert "/etc/cyberhub/first-boot.conf" in asked

    def test_one_that_was_prepared_in_this_way_is_left_alone(
        self, machine: Machine, answers: Answers, tmp_path: Path
    ) -> None:
        answers(READY)
        watch(machine, PLAN)
        assert not (tmp_path / "changes").exists()

    def test_one_that_was_prepared_in_another_way_is_prepared_anew(
        self, machine: Machine, answers: Answers, tmp_path: Path
    ) -> None:
        answers(says(state="done", digest="older", docker="28.1.1"), READY)
        watch(machine, PLAN)
        assert (tmp_path / "changes").read_text() == "changed\n"

    def test_missing_root_rights_are_told(self, machine: Machine, answers: Answers, tmp_path: Path) -> None:
        answers(says(state="absent"))
        (tmp_path / "changes-code").write_text("1")
        assert "does not do what it is told" in failure(machine, PLAN)
