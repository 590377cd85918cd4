"""Whether the keys by which other machines are known are keys."""

from __future__ import annotations

from collections.abc import Sequence

from hubconfig import host_key
from hubconfig.space_options import SshfsSpace
from infra.stack.clouds import ServerCloud
from infra.stack.faults import Fault
from infra.stack.sections import Sections


def faults(sections: Sections) -> Sequence[Fault]:
    """Host keys that were cut off or mixed up: ssh would refuse the machine and warn of an attack."""
    given = {}
    if isinstance(sections.cloud, ServerCloud):
        given["cloud.hostKey"] = sections.cloud.host_key
    for where, options in sections.every_hub().items():
        for number, space in enumerate(options.spaces):
            if isinstance(space, SshfsSpace):
                given[f"{where}.spaces[{number}].hostKey"] = space.host_key
    return [Fault(key, why) for key, known in given.items() if (why := host_key.fault(known))]
