"""How a hub and its machine are: `docker exec HUB python3 -m hubconfig.status`.

Lines that start with `!` want something done; there is an exit code of 1 then.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docker
import jupyterhub
from docker.errors import APIError

from hubconfig import container, labels
from hubconfig.backup.notes import Notes
from hubconfig.backup.options import VOLUME
from hubconfig.homes.homes import HOMES, Homes, HomeUsage
from hubconfig.names import FIRST_HUB
from hubconfig.settings import SETTINGS_FILE, HubSettings

DATABASE = Path(container.DATABASE)
FILESYSTEMS = {"users' files": HOMES, "images, containers": Path("/")}
"""What is on them, and where the hub sees them; a container's own root is on Docker's."""

FULL = 0.9
"""The part of a disk, of its inodes or of the memory from which on somebody should look."""

HOMES_SHOWN = 3
"""How many of the fullest homes are always shown; those that are nearly full all are."""


@dataclass(frozen=True)
class Line:
    """One thing that is known, and whether something must be done about it."""

    what: str
    said: str
    wrong: bool = False

    def __str__(self) -> str:
        """The line as it is printed."""
        return f"{'!' if self.wrong else ' '} {self.what:<27} {self.said}"


def share(what: str, used: int, total: int, unit: str) -> Line:
    """How much of something is used, in its unit."""
    part = used / total if total else 0.0
    return Line(what, f"{used:,} of {total:,} {unit} ({part:.0%})", part >= FULL)


def filesystem(what: str, path: Path) -> list[Line]:
    """Space, in GB as Docker and clouds count it, and inodes of the filesystem that a path is on."""
    disk = os.statvfs(path)
    gb = disk.f_frsize / 10**9
    # What is kept for root is not there for users.
    used, free = disk.f_blocks - disk.f_bfree, disk.f_bavail
    lines = [share(f"disk, {what}", round(used * gb), round((used + free) * gb), "GB")]
    if disk.f_files:
        lines.append(share("  its inodes", disk.f_files - disk.f_ffree, disk.f_files, ""))
    return lines


def machine(proc: Path = Path("/proc")) -> list[Line]:
    """Memory, load and processes of the machine, which containers see as it is."""
    words = [line.split() for line in (proc / "meminfo").read_text().splitlines()]
    memory = {name.rstrip(":"): int(kb) // 1024 for name, kb, *_ in words}
    load, _, _, tasks, _ = (proc / "loadavg").read_text().split()
    most = int((proc / "sys/kernel/threads-max").read_text())
    cpus = os.cpu_count() or 1
    return [
        share("memory", memory["MemTotal"] - memory["MemAvailable"], memory["MemTotal"], "MB"),
        Line("load", f"{load} on {cpus} CPUs", float(load) > 4 * cpus),
        share("processes, threads", int(tasks.split("/")[1]), most, ""),
    ]


def people(database: Path, now: datetime) -> Line:
    """Who is known to the hub."""
    day_ago = (now - timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S")
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as opened:
        known, lately = opened.execute(
            "select count(*), coalesce(sum(last_activity >= ?), 0) from users", [day_ago]
        ).fetchone()
    return Line("people", f"{known} known, {lately} seen in the last 24 hours")


def backup(last: str | None, now: datetime) -> Line:
    """How the last backup ended.

    :param last: the text that the backup leaves; None where it has not left one yet.
    """
    if last is None:
        return Line("last backup", "none has ended yet", wrong=True)
    note = json.loads(last)
    # One that should have come since and has not is late; itself it may take as long as it comes seldom.
    late = now - datetime.fromisoformat(note["finished"]) > 2 * timedelta(hours=note["everyHours"])
    how = "done" if note["ok"] else f"FAILED: {note['message']}"
    if warning := note.get("warning"):
        how += f"; {warning}"
    return Line("last backup", f"{note['finished']}, {how}", late or not note["ok"])


def container_line(name: str, state: Mapping[str, Any]) -> Line:
    """How one of the stack's own containers is."""
    health = state.get("Health", {}).get("Status", "")
    said = f"{state['Status']}{f', {health}' if health else ''} since {state['StartedAt'][:19]}Z"
    return Line(name, said, state["Status"] != "running" or health == "unhealthy")


def server(user: str, application: str, used: Mapping[str, Any]) -> Line:
    """What one user's server takes of what it may take.

    :param used: Docker's own figures.
    """
    memory, pids = used.get("memory_stats", {}), used.get("pids_stats", {})
    # As Docker's own `stats` counts: without what can be read from the disk again.
    mb = (memory.get("usage", 0) - memory.get("stats", {}).get("inactive_file", 0)) // 2**20
    limit_mb = memory.get("limit", 0) // 2**20
    processes = f"{pids.get('current', 0)} of {pids.get('limit', '?')} processes"
    said = f"{application:<12} {mb} of {limit_mb} MB, {processes}"
    return Line(user, said, bool(limit_mb) and mb >= FULL * limit_mb)


def homes(usages: Mapping[str, HomeUsage]) -> list[Line]:
    """The fullest homes, of those that have a limit."""
    fullest = sorted(usages.items(), key=lambda item: -item[1].share)
    return [
        Line(f"home of {user}", f"{usage} ({usage.share:.0%})", usage.share >= FULL)
        for number, (user, usage) in enumerate(fullest)
        if number < HOMES_SHOWN or usage.share >= FULL
    ]


def report(settings: HubSettings, engine: Any, now: datetime) -> dict[str, list[Line]]:
    """Heading to lines of all that this hub knows; of several hubs on a machine, the first tells of it."""
    of_stack = engine.containers.list(
        all=True, ignore_removed=True, filters={"label": f"{labels.STACK}={settings.stack}"}
    )
    by_name = sorted(of_stack, key=lambda each: each.name)
    own = [each for each in by_name if each.labels[labels.ROLE] != "user"]
    servers = [each for each in by_name if labels.is_server_of(each.labels, settings.stack, settings.name)]
    applications = {image: name for name, image in settings.images.items()}
    with ThreadPoolExecutor(16) as pool:
        figures = list(pool.map(_figures, servers))
    hub = [
        Line("JupyterHub", str(jupyterhub.__version__)),
        people(DATABASE, now),
        Line("servers", f"{len(servers)} of {settings.servers_max}", len(servers) >= settings.servers_max),
        *(
            server(
                each.labels[labels.USER],
                applications.get(each.attrs["Config"]["Image"], "an older one"),
                used,
            )
            for each, used in zip(servers, figures, strict=True)
        ),
        *homes(Homes(HOMES, settings.homes_dir, settings.options.limits.home_gb).usages()),
    ]
    if settings.name != FIRST_HUB:
        return {f"Hub {settings.name}": hub}
    disks = [line for what, path in FILESYSTEMS.items() for line in filesystem(what, path)]
    return {
        "Machine": [Line("Docker", engine.version()["Version"]), *disks, *machine(), *_backups(own, now)],
        "Containers": [container_line(each.name, each.attrs["State"]) for each in own],
        "Hub": hub,
    }


def _figures(server: Any) -> dict[str, Any]:
    try:
        used: dict[str, Any] = server.stats(stream=False, one_shot=True)
    except APIError:
        return {}  # it ended since it was listed
    return used


def _backups(containers: Sequence[Any], now: datetime) -> list[Line]:
    return [
        backup(_last(each), now)
        for each in containers
        if each.labels[labels.ROLE] == "backup" and each.status == "running"
    ]


def _last(backup_container: Any) -> str | None:
    note = Notes(Path(VOLUME.backup)).last
    code, output = backup_container.exec_run(["cat", str(note)], stderr=False)
    return output.decode() if code == 0 else None


def main() -> int:
    """Print how things are. 1 if something must be done, else 0."""
    known = report(HubSettings.read(SETTINGS_FILE), docker.from_env(), datetime.now(UTC))
    for heading, lines in known.items():
        print(heading)
        print("\n".join(str(line) for line in lines))
    return 1 if any(line.wrong for lines in known.values() for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
