"""Checks limits of users' servers against the machine that must hold them."""

from __future__ import annotations

from collections.abc import Sequence

from infra.images.contexts import own_names
from infra.stack.faults import Fault
from infra.stack.settings import Settings
from infra.stack.stack_file import Parts


def limits_above(settings: Settings, memory_mb: int, cpus: float) -> list[Fault]:
    """Limits that ask for more than the whole machine has."""
    faults = []
    for hub, options in settings.every_hub.items():
        where = "hub" if hub == "hub" else f"hubs.{hub}"
        asked: list[tuple[str, int | None, float | None]] = [
            (f"{where}.limits", options.limits.memory_mb, options.limits.cpus)
        ]
        asked += [
            (f"{where}.menu[{number}]", entry.memory_mb, entry.cpus)
            for number, entry in enumerate(options.menu)
        ]
        for key, memory, cpu in asked:
            if memory is not None and memory > memory_mb:
                faults.append(
                    Fault(
                        f"{key}.memoryMb", f"{memory} MB is more than the machine's {memory_mb} MB; set less"
                    )
                )
            if cpu is not None and cpu > cpus:
                faults.append(
                    Fault(f"{key}.cpus", f"{cpu:g} CPUs are more than the machine's {cpus:g}; set less")
                )
    return faults


def unknown_builds(parts: Parts) -> Sequence[Fault]:
    """Menu entries that build from a folder that is not there."""
    hubs = {"hub": parts.get("hub"), **{f"hubs.{k}": v for k, v in (parts.get("hubs") or {}).items()}}
    known = own_names()
    return [
        Fault(
            f"{where}.menu[{number}].build",
            f"there is no hubconfig/images/{entry.build}; there are {', '.join(known)}",
        )
        for where, options in hubs.items()
        if options is not None
        for number, entry in enumerate(options.menu)
        if entry.build is not None and entry.build not in known
    ]
