"""Checks limits of users' servers against the machine that must hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hubconfig.options import HubOptions
from infra.stack.faults import Fault
from infra.stack.sections import Sections


def faults(sections: Sections) -> Sequence[Fault]:
    """Limits that ask for more than the whole machine has."""
    machine = sections.capacity
    if machine is None:
        return []
    told = []
    for where, options in sections.every_hub().items():
        for key, memory_mb, cpus in _limits(where, options):
            if memory_mb is not None and memory_mb > machine.memory_mb:
                rule = f"{memory_mb} MB is more than the machine's {machine.memory_mb} MB; set less"
                told.append(Fault(f"{key}.memoryMb", rule))
            if cpus is not None and cpus > machine.cpus:
                rule = f"{cpus:g} CPUs are more than the machine's {machine.cpus:g}; set less"
                told.append(Fault(f"{key}.cpus", rule))
    return told


def _limits(where: str, options: HubOptions) -> Iterator[tuple[str, int | None, float | None]]:
    """Each place of the file that limits servers, with its memory in MB and its CPUs."""
    yield f"{where}.limits", options.limits.memory_mb, options.limits.cpus
    for number, entry in enumerate(options.menu):
        yield f"{where}.menu[{number}]", entry.memory_mb, entry.cpus
