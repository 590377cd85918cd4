"""Whether the images that menus name can be there."""

from __future__ import annotations

from collections.abc import Sequence

from infra.images.contexts import own_names
from infra.stack.faults import Fault
from infra.stack.sections import Sections


def faults(sections: Sections) -> Sequence[Fault]:
    """Menu entries that build from a folder that is not there."""
    known = own_names()
    return [
        Fault(
            f"{where}.menu[{number}].build",
            f"there is no hubconfig/images/{entry.build}; there are {', '.join(known)}",
        )
        for where, options in sections.every_hub().items()
        for number, entry in enumerate(options.menu)
        if entry.build is not None and entry.build not in known
    ]
