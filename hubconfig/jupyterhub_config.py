"""JupyterHub's configuration: the settings file in, traitlets out."""

import gc
import logging
import os
import sys
from pathlib import Path

from hubconfig.apply import apply
from hubconfig.background import begin
from hubconfig.settings import SETTINGS_FILE, HubSettings

SETTINGS = Path(os.environ.get("CYBERHUB_SETTINGS", SETTINGS_FILE))

try:
    settings = HubSettings.read(SETTINGS)
except (OSError, ValueError) as error:
    sys.exit(f"hub: {SETTINGS} cannot be used: {error}")
try:
    jobs = apply(settings, get_config())  # type: ignore[name-defined]  # noqa: F821 - traitlets gives it
except (OSError, ValueError) as error:
    sys.exit(f"hub: {error}")
begin(jobs, logging.getLogger("JupyterHub"))

# What is loaded by now stays; looking through it for garbage again and again holds up requests by 90 ms.
gc.freeze()
