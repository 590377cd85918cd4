"""JupyterHub's configuration: the settings file in, traitlets out."""

import gc
import logging
import os
import sys
from pathlib import Path

import docker
from docker.errors import DockerException

from hubconfig import door
from hubconfig.apply import apply
from hubconfig.background import begin
from hubconfig.servers.takeover import rename_former
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
log = logging.getLogger("JupyterHub")
try:
    for line in rename_former(settings, docker.from_env()):
        log.warning(line)
except DockerException as error:
    sys.exit(f"hub: Docker does not say which servers run: {error}")
begin(jobs, log)
door.set_up()

# What is loaded by now stays; looking through it for garbage again and again holds up requests by 90 ms.
gc.freeze()
