"""Rows to a warehouse: one statement, with the rows as one JSON parameter or in one Parquet file of a volume."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.lakehouse.compiler import rows_of_file, rows_of_json
from workbench.lakehouse.rows import Rows

from ..pep249 import DatabaseError, DataError, IntegrityError

if TYPE_CHECKING:
    from .connection import Connection

# A statement takes one megabyte of parameters. What is more travels as a file, which costs two statements beside.
MOST_JSON_BYTES = 900_000
MOST_JSON_ROWS = 50_000

log = logging.getLogger(__name__)


def insert(connection: Connection, sql: str, rows: Rows) -> int:
    """Write the rows, as one statement and one commit, and return how many were written.

    A key that comes twice among the rows is refused (or, with "ignore", dropped) before anything is sent.
    """
    try:
        table = rows.to_arrow()
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise DataError(f"A value does not fit its column in {rows.table}: {error}") from error
    table = _once_each(rows, table)
    if not table.num_rows:
        return 0
    text = as_json(table) if table.num_rows <= MOST_JSON_ROWS else None
    return _by_file(connection, sql, rows, table) if text is None else _written(connection, sql, text)


def _written(connection: Connection, sql: str, *parameters: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("%s", "?", len(parameters)), parameters)
        return int(cursor.rowcount)


def _by_file(connection: Connection, sql: str, rows: Rows, table: pa.Table) -> int:
    path = f"/Volumes/{connection.volume.replace('.', '/')}/{uuid4()}.parquet"
    file = io.BytesIO()
    pq.write_table(table, file)
    try:
        connection.put(path, file.getvalue())
    except DatabaseError as error:
        raise type(error)(
            f"{table.num_rows} rows of {rows.table} are too many for a statement, and cannot be put into the volume "
            f"{connection.volume}: {error}\nIt must exist (CREATE VOLUME {connection.volume}), with READ VOLUME and WRITE "
            "VOLUME for you; `?volume=CATALOG.SCHEMA.VOLUME` in WORKBENCH_LAKEHOUSE_URL names another."
        ) from error
    try:
        return _written(connection, sql.replace(rows_of_json(rows), rows_of_file(rows, path), 1))
    finally:
        _removed(connection, path)


def _removed(connection: Connection, path: str) -> None:
    """Remove the file. One that stays harms nobody, so the insert's own end is what counts."""
    try:
        connection.remove(path)
    except DatabaseError as error:
        log.warning("The file %s stays in its volume, remove it: %s", path, error)


def as_json(table: pa.Table) -> str | None:
    """Return the rows as a JSON list, or None where that is more than `MOST_JSON_BYTES`."""
    held: list[bytes] = []
    size = 2
    names = table.column_names
    for values in zip(*(_json_values(column) for column in table.columns), strict=True):
        row = orjson.dumps(dict(zip(names, values, strict=True)))
        held.append(row)
        size += len(row) + 1
        if size > MOST_JSON_BYTES:
            return None
    return f"[{b','.join(held).decode()}]"


def _json_values(column: pa.ChunkedArray) -> list[Any]:
    """Return values that JSON holds exactly: decimals, dates and instants as text, bytes as hexadecimal text."""
    kind, values = column.type, column.to_pylist()
    if pa.types.is_decimal(kind):
        return [None if value is None else format(value, "f") for value in values]
    if pa.types.is_timestamp(kind):
        return [None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds") for value in values]
    if pa.types.is_date(kind):
        return [None if value is None else value.isoformat() for value in values]
    if pa.types.is_binary(kind):
        return [None if value is None else value.hex() for value in values]
    if pa.types.is_floating(kind):
        return [value if value is None or math.isfinite(value) else _named(value) for value in values]
    return list(values)


def _named(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _once_each(rows: Rows, table: pa.Table) -> pa.Table:
    """Return the rows with every key once: a MERGE compares with the table, not its new rows with each other."""
    columns = {name: table.column(name).to_pylist() for key in rows.keys for name in key}
    seen: set[tuple[int, tuple[Any, ...]]] = set()
    kept = []
    for number in range(table.num_rows):
        own = [(place, tuple(columns[name][number] for name in key)) for place, key in enumerate(rows.keys)]
        full = {mark for mark in own if None not in mark[1]}
        if twice := full & seen:
            if rows.on_conflict != "ignore":
                raise _duplicate(rows, *next(iter(twice)))
            continue
        seen |= full
        kept.append(number)
    return table if len(kept) == table.num_rows else table.take(kept)


def _duplicate(rows: Rows, place: int, value: Sequence[Any]) -> IntegrityError:
    columns, shown = ", ".join(rows.keys[place]), ", ".join(map(repr, value))
    return IntegrityError(
        f"[DUPLICATE_KEY] UNIQUE constraint failed: {rows.table} ({columns}) = ({shown}) comes twice in the rows to write."
    )
