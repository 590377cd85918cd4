"""Waits until a machine is prepared and its Docker engine answers."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import pulumi

from infra.host import Ssh
from infra.machine.first_boot import LOG, FirstBoot, digest
from infra.machine.machine import Machine, Report
from infra.remote_shell import CommandError, RefusedKeyError, StrangerError, UnreachableError

_PATIENCE_SECONDS: Final = 25 * 60
"""For all of it; an upgrade of all packages on the smallest machines takes about ten minutes."""

_UNREACHABLE_SECONDS: Final = 8 * 60
"""How long a machine may leave its SSH port unanswered: clouds need one to three minutes at first, and a
busy machine misses single looks later."""

_REFUSED_SECONDS: Final = 2 * 60
"""Until it must accept our key and show its own: both come with the user data, before SSH is open, but
somebody else's machine may have had the address a moment ago."""

_PAUSE_SECONDS: Final = 4.0

_LOOKS: Final = 3
"""How often cloud-init must have been seen to have ended without first boot."""

_CLOUD_INIT_ENDED: Final = frozenset({"done", "error", "disabled"})

_STAGES: Final = {
    "memory": "swap",
    "packages": "updates and packages",
    "disk": "the data disk",
    "docker": "Docker",
    "machine": "limits, SSH and security updates",
}


def wait(
    ssh: Ssh,
    address: pulumi.Input[str],
    *,
    machine_id: pulumi.Input[str],
    first_boot: FirstBoot | None = None,
) -> pulumi.Output[str]:
    """Docker's address, once first boot is done and Docker answers there.

    A preview does not wait: Docker's address is unknown there until the machine is ready. Raises
    pulumi.RunError that tells an unreachable machine from a refused key, a wrong host key and a first
    boot that failed.
    :param address: known only once it leads to the machine.
    :param machine_id: the machine's id in its cloud; a new machine is waited for anew, also at an
        address that the stack has had before.
    :param first_boot: for a machine without cloud-init: prepare it this way over SSH.
    """

    async def docker_host(known: list[str]) -> Any:
        machine = Machine(ssh, known[0])
        if pulumi.runtime.is_dry_run():
            return ssh.url(known[0]) if await _answers(machine, first_boot) else _unknown()
        await Watch(machine, first_boot).until_ready()
        return ssh.url(known[0])

    return pulumi.Output.all(address, machine_id).apply(docker_host)


class Watch:
    """One machine's way to readiness, told to the operator stage by stage."""

    def __init__(self, machine: Machine, first_boot: FirstBoot | None) -> None:
        """Watch a machine, which is prepared over SSH if told how."""
        self._machine = machine
        self._first_boot = first_boot
        self._start = self._answered_last = time.monotonic()
        self._not_let_in_since: float | None = None
        self._without_user_data = 0
        self._started_here = False
        self._told = ""

    async def until_ready(self) -> None:
        """Return when Docker can be used. Raises pulumi.RunError when that will not be."""
        while True:
            try:
                report = await asyncio.to_thread(self._machine.report)
                self._answered_last, self._not_let_in_since = time.monotonic(), None
                if await self._is_ready(report):
                    return
            except (RefusedKeyError, StrangerError) as error:
                self._not_let_in(error)
            except UnreachableError as error:
                self._not_answering(error)
            except CommandError as error:
                raise pulumi.RunError(
                    f"the machine {self._machine.address} does not do what it is told: {error}"
                ) from None
            await asyncio.sleep(_PAUSE_SECONDS)

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._start

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            pulumi.log.info(f"machine {self._machine.address}: {text} ({self._elapsed:.0f} s)")

    async def _is_ready(self, report: Report) -> bool:
        """Whether the machine is ready; if not, does what can be done about it."""
        if self._must_be_prepared(report) and self._first_boot is not None:
            self._tell("is prepared over SSH")
            self._started_here = True
            await asyncio.to_thread(self._machine.prepare, self._first_boot)
        elif report.ready:
            if self._told:
                self._tell(f"ready, with Docker {report.docker}")
            return True
        elif report.state == "failed" and not self._started_here and not self._told:
            # It failed before this run: whoever runs it again has done something about it.
            self._tell("first boot is tried again")
            self._started_here = True
            await asyncio.to_thread(self._machine.try_again)
        elif report.state == "failed" or self._elapsed > _PATIENCE_SECONDS:
            raise await self._failed(report)
        else:
            await self._expect_user_data(report)
            self._tell(_progress(report))
        return False

    def _must_be_prepared(self, report: Report) -> bool:
        wanted = None if self._first_boot is None else digest(self._first_boot)
        return wanted is not None and report.digest != wanted and not self._started_here

    async def _expect_user_data(self, report: Report) -> None:
        self._without_user_data += report.state == "absent" and report.cloud_init in _CLOUD_INIT_ENDED
        if self._without_user_data > _LOOKS and not self._started_here:
            log = await asyncio.to_thread(self._machine.last_words)
            raise pulumi.RunError(
                f"cloud-init has ended on the machine {self._machine.address} and first boot has not begun: "
                "it did not get its user data, or could not use them. Choose an image with cloud-init and "
                f"rebuild the machine.\nThe end of its log:\n{log}"
            )

    def _not_answering(self, error: CommandError) -> None:
        silent = time.monotonic() - self._answered_last
        self._tell("does not answer yet")
        if silent > _UNREACHABLE_SECONDS:
            raise pulumi.RunError(
                f"the machine {self._machine.address} does not answer on port {self._machine.ssh.port}, for "
                f"{silent / 60:.0f} minutes now: {error}\n"
                "Look in the cloud's console whether it runs, and whether a firewall is between: "
                "cloud.adminCidrs must hold the address that this computer has on the internet."
            )

    def _not_let_in(self, error: CommandError) -> None:
        now = self._answered_last = time.monotonic()
        self._not_let_in_since = self._not_let_in_since or now
        self._tell(
            "answers, but is not ours yet" if isinstance(error, StrangerError) else "refuses our key yet"
        )
        if now - self._not_let_in_since > _REFUSED_SECONDS:
            raise _shut_out(self._machine, error)

    async def _failed(self, report: Report) -> pulumi.RunError:
        log = await asyncio.to_thread(self._machine.last_words)
        what = "failed" if report.state == "failed" else f"is not done after {self._elapsed / 60:.0f} minutes"
        why = report.message or report.docker_error or report.state
        msg = (
            f"first boot of the machine {self._machine.address} {what}, at "
            f"{report.stage or 'its beginning'}: {why}\nThe end of {LOG} there:\n{log}\n"
            f"Look for yourself: {self._machine.sign_in}\n"
            "When it is put right, run pulumi up again: the machine goes on where it stopped."
        )
        return pulumi.RunError(msg)


def check_access(machine: Machine) -> None:
    """Ask a machine that should be there once. Raises pulumi.RunError that says what is wrong."""
    try:
        machine.run("true")
    except (RefusedKeyError, StrangerError) as error:
        raise _shut_out(machine, error) from None
    except UnreachableError as error:
        raise pulumi.RunError(
            f"the machine {machine.address} does not answer on port {machine.ssh.port}: {error}\n"
            "Look whether it runs and whether its SSH port can be reached from this computer."
        ) from None
    except CommandError as error:
        raise pulumi.RunError(f"the machine {machine.address} does not do what it is told: {error}") from None


def _shut_out(machine: Machine, error: CommandError) -> pulumi.RunError:
    ssh = machine.ssh
    if isinstance(error, StrangerError):
        msg = (
            f"what answers at {machine.address} is not the stack's machine: its host key is not the one we "
            f"know ({ssh.host_key}). Nothing was sent to it.\n"
            "Either the address now belongs to another machine, or somebody is in between, or the machine "
            f"was installed anew outside of this program. ssh said: {error}"
        )
    else:
        msg = (
            f"the machine {machine.address} does not accept the key {ssh.key_file} for the user {ssh.user}: "
            f"{error}\n"
            "Correct cloud.sshUser (each image has a user of its own) or cloud.sshKeyFile."
        )
    return pulumi.RunError(msg)


async def _answers(machine: Machine, first_boot: FirstBoot | None) -> bool:
    try:
        report = await asyncio.to_thread(machine.report)
    except CommandError:
        return False  # the update that follows the preview waits, and says what is wrong
    return report.ready and (first_boot is None or report.digest == digest(first_boot))


def _unknown() -> pulumi.Output[str]:
    """A value that is known only later, as those of resources that are still to be made."""

    def now(value: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_result(value)
        return future

    return pulumi.Output(now(set()), now(None), now(False))


def _progress(report: Report) -> str:
    match report.state:
        case "absent":
            return "starts up"
        case "done":
            return f"waits for Docker: {report.docker_error}"
        case "waiting":
            return f"first boot, {report.stage}: {report.message}; it tries again"
        case _:
            stage = f"first boot, {_STAGES.get(report.stage, report.stage)}"
            return f"{stage}: {report.message}" if report.message else stage
