"""The engine "local": a PEP 249 driver for a directory of Delta tables that speaks Databricks SQL with `?` markers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from django.core.exceptions import ImproperlyConfigured

from workbench.lakehouse.rows import Rows

from .. import pep249
from ..pep249 import *  # noqa: F403 - they are named there
from .connection import Connection as Connection
from .connection import connect as connect
from .cursor import Cursor as Cursor

apilevel = "2.0"
threadsafety = 1
paramstyle = "qmark"


def options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return directory, catalog and schema, and `threads` and `memory` where OPTIONS has them."""
    if not settings["NAME"]:
        raise ImproperlyConfigured("The lakehouse has no directory: set NAME in DATABASES, or WORKBENCH_LAKEHOUSE_URL.")
    given = settings["OPTIONS"]
    wanted = {name: given[name] for name in ("catalog", "schema", "threads", "memory") if name in given}
    return {"directory": settings["NAME"], **wanted}


def prepare(connection: Connection, catalog: str, schema: str) -> None:
    """Make the catalog and the schema, both quoted, so that a first `migrate` needs nothing else."""
    cursor = connection.cursor()
    cursor.execute(f"CREATE CATALOG IF NOT EXISTS {catalog}")
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{schema}")
    cursor.close()


def bound(value: Any) -> tuple[str, Any]:
    """Return the value as it is; the driver takes every type."""
    return "?", value


def fits(values: Sequence[Any]) -> bool:
    """Say yes; the driver takes any number of parameters."""
    return True


def insert(connection: Connection, sql: str, rows: Rows) -> int:
    """Write the rows as one commit, past SQL, and return how many were written."""
    try:
        table = rows.to_arrow()
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise pep249.DataError(f"A value does not fit its column in {rows.table}: {error}") from error
    if not rows.keys:
        return connection.append(rows.table, table)
    keys = [list(key) for key in rows.keys]
    if rows.within:
        # Equal keys lie in one partition, so asking for both columns finds the same rows and opens fewer files.
        keys[0].append(rows.within)
    return connection.append_unique(
        rows.table,
        table,
        keys,
        rows.on_conflict,
        update_columns=list(rows.update_columns),
        conflict_target=list(rows.target) or None,
    )
