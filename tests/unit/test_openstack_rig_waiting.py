"""The rig waits for what starts, says what for, and is taken away whichever step it came to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keystoneauth1.exceptions import ConnectFailure, DiscoveryFailure
from openstack.exceptions import SDKException

from tests.openstack.rig import box, operators
from tests.openstack.rig.waiting import NotReadyError, until


def saying(*answers: str | Exception) -> Callable[[], str]:
    """One answer after the other, the last for good."""
    rest: Iterator[str | Exception] = iter(answers)

    def answer() -> str:
        said = next(rest, answers[-1])
        if isinstance(said, Exception):
            raise said
        return said

    return answer


@pytest.mark.parametrize(
    "error",
    [
        ConnectFailure("Unable to establish connection to :8774"),
        DiscoveryFailure("no version"),
        SDKException("503"),
        ConnectionRefusedError(111, "refused"),
        ConnectionResetError(),
        TimeoutError(),
    ],
)
def test_a_service_that_does_not_listen_yet_is_waited_for(error: Exception) -> None:
    until(saying(error, error, ""), 5, pause=0)


def test_what_waiting_does_not_mend_is_raised_at_once() -> None:
    with pytest.raises(KeyError):
        until(saying(KeyError("State"), ""), 5, pause=0)


def test_who_waits_hears_once_what_for() -> None:
    heard: list[str] = []
    until(saying("hypervisor: 503", "hypervisor: 401", "network agents", ""), 5, tell=heard.append, pause=0)
    assert heard == ["waiting for hypervisor", "waiting for network agents"]


def test_the_end_of_patience_says_what_was_missing() -> None:
    with pytest.raises(NotReadyError, match=r"not up within 0 s: volume service"):
        until(saying("volume service"), 0, pause=0)


def test_a_part_that_hangs_up_is_named_with_its_words() -> None:
    class Nova:
        def hypervisors(self) -> None:
            raise ConnectFailure("Unable to establish connection")

    class Cloud:
        compute = Nova()

    said = operators.missing_in(Cloud())  # type: ignore[arg-type] # of a connection it asks for nothing else
    assert said == "hypervisor: Unable to establish connection"


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Docker whose things are files in a folder, and what it was told in `told`."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        """#!/bin/sh
cd "$(dirname "$0")/.." || exit 1
echo "docker $*" >>told
case "$1 $2" in
  *" inspect") cat "$1" 2>/dev/null ;;
  "inspect "*) cat container network 2>/dev/null ;;
  "rm --force") [ ! -e stuck ] || { echo "device busy" >&2; exit 1; }; rm -f container ;;
  "network rm") rm network ;;
esac
"""
    )
    program.chmod(0o755)
    way = program.with_name("ip")
    way.write_text('#!/bin/sh\necho "ip $*" >>"$(dirname "$0")/../told"; exit 2\n')
    way.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return tmp_path


def container(*, running: bool) -> str:
    labels = {"rig.address": "172.31.9.2", "rig.external": "172.24.4.0/24"}
    return json.dumps([{"State": {"Running": running}, "Config": {"Labels": labels}}])


def test_a_network_that_is_left_over_is_not_taken_for_the_rig(docker: Path) -> None:
    (docker / "network").write_text(json.dumps([{"Name": box.NAME}]))
    assert box.place() is None
    box.remove()
    assert not (docker / "network").exists()


def test_a_rig_that_stopped_half_way_is_taken_away_with_its_route(docker: Path) -> None:
    (docker / "container").write_text(container(running=False))
    (docker / "network").write_text("[{}]")
    assert box.place() is None
    box.remove()
    assert not (docker / "container").exists()
    assert not (docker / "network").exists()
    assert "ip route del 172.24.4.0/24 via 172.31.9.2" in (docker / "told").read_text()


def test_where_there_is_nothing_nothing_is_removed(docker: Path) -> None:
    box.remove()
    assert " rm " not in (docker / "told").read_text()


def test_what_cannot_be_taken_away_is_told_in_dockers_words(docker: Path) -> None:
    (docker / "container").write_text(container(running=True))
    (docker / "stuck").touch()
    with pytest.raises(RuntimeError, match="device busy"):
        box.remove()
