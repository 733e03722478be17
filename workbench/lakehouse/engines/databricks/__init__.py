"""The engine "databricks": a SQL warehouse, through databricks-sql-connector as it is.

The connector and the SDK cost a second to load, so they are loaded with the first connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..pep249 import *  # noqa: F403 - they are named there
from .inserts import insert as insert
from .parameters import bound as bound
from .parameters import fits as fits

if TYPE_CHECKING:
    from .connection import Connection


def options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return host, port, path, catalog, schema and volume; `connector` in OPTIONS overrides the connector's arguments."""
    given = settings["OPTIONS"]
    return {
        "host": settings["HOST"],
        "port": int(settings["PORT"] or 443),
        "path": settings["NAME"],
        "catalog": given["catalog"],
        "schema": given["schema"],
        "volume": given["volume"],
        "connector": given.get("connector", {}),
    }


def connect(**options: Any) -> Connection:
    """Return an open connection; OperationalError where nobody answers or the sign-in is refused."""
    from .connection import Connection  # loads the connector

    return Connection(**options)


def prepare(connection: Connection, catalog: str, schema: str) -> None:
    """Do nothing: the session names its catalog and schema, and making them is an administrator's right."""
