"""Where a stack's data will be, for checks: known from its settings alone."""

from __future__ import annotations

from hubconfig.data_folder import DataFolder
from infra.clouds.local import data_dir
from infra.clouds.remote import DATA_DIR
from infra.stack.clouds import Cloud, LocalCloud, ServerCloud


def volume(cloud: Cloud, stack: str) -> DataFolder:
    """The data volume as its machine sees it."""
    if isinstance(cloud, LocalCloud):
        return DataFolder.at(str(data_dir(cloud, stack)))
    return DataFolder.at(cloud.data_dir if isinstance(cloud, ServerCloud) else DATA_DIR)
