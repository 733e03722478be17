"""The same settings with a loopback warehouse in the place of each directory."""

from __future__ import annotations

import os
from functools import partial

from tests.conformance.settings import *  # noqa: F403
from tests.conformance.settings import DATABASES, DIRECTORY
from tests.databricks import loopback
from workbench import databases
from workbench.lakehouse.engines.local import connect

os.environ["DATABRICKS_TOKEN"] = loopback.TOKEN
loopback.connect = partial(connect, threads=1)  # type: ignore[attr-defined]
WAREHOUSES = {alias: loopback.Loopback(DIRECTORY / alias).__enter__() for alias in DATABASES}
DATABASES.update({alias: databases.lakehouse(warehouse.url) for alias, warehouse in WAREHOUSES.items()})
