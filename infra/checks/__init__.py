"""What can be wrong with settings: a file for each check, with `faults(sections)` in it.

A check looks at what the stack file says and at this computer; it makes nothing.
"""

from __future__ import annotations

from typing import Final

from infra.checks import (
    access,
    backup,
    certificate,
    data_folder,
    home_limits,
    host_keys,
    images,
    limits,
    secrets,
    spaces,
    this_computer,
    user_domain,
)
from infra.stack.sections import Check

OF_SETTINGS: Final[tuple[Check, ...]] = (
    secrets.faults,
    host_keys.faults,
    images.faults,
    access.faults,
    spaces.faults,
    certificate.faults,
    user_domain.faults,
    backup.faults,
    this_computer.faults,
    home_limits.faults,
    data_folder.faults,
)
"""Of the stack file alone."""

OF_MACHINE: Final[tuple[Check, ...]] = (
    limits.faults,
    home_limits.faults,
    data_folder.faults,
    user_domain.dns_faults,
)
"""Of the settings beside the machine that its cloud has for them."""
