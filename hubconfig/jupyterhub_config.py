"""JupyterHub's configuration: the settings file in, traitlets out."""

import asyncio
import logging
import os
import sys
from pathlib import Path

from hubconfig.apply import apply
from hubconfig.background import forever
from hubconfig.settings import HubSettings

SETTINGS = Path(os.environ.get("CYBERHUB_SETTINGS", "/srv/cyberhub/settings.json"))

try:
    jobs = apply(HubSettings.read(SETTINGS), get_config())  # type: ignore[name-defined]  # noqa: F821
except (OSError, ValueError) as error:
    sys.exit(f"hub: {SETTINGS} cannot be used: {error}")

running = [asyncio.ensure_future(forever(job, logging.getLogger("JupyterHub"))) for job in jobs]
