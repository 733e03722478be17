"""Rows to a warehouse: one statement with the rows as one JSON parameter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from workbench.lakehouse.literals import literal
from workbench.lakehouse.rows import Rows

from ..pep249 import DataError, IntegrityError
from .parameters import MOST_BYTES

if TYPE_CHECKING:
    from .connection import Connection

# A statement takes one megabyte of parameters; more rows than this are several statements, each one commit.
CHUNK_BYTES = 900_000


def insert(connection: Connection, sql: str, rows: Rows) -> int:
    """Write the rows and return how many were written.

    Up to 900 kB of JSON are one statement and one commit. More are several: when one of them fails, those before it
    stay. A key that comes twice among the rows is refused (or, with "ignore", dropped) before anything is sent.
    """
    try:
        table = rows.to_arrow()
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise DataError(f"A value does not fit its column in {rows.table}: {error}") from error
    table, written = _once_each(rows, table), 0
    for chunk in chunks(table):
        text, cursor = chunk.decode(), connection.cursor()
        if len(chunk) > MOST_BYTES:
            cursor.execute(sql.replace("%s", literal(text), 1))
        else:
            cursor.execute(sql.replace("%s", "?", 1), [text])
        written += cursor.rowcount
        cursor.close()
    return written


def chunks(table: pa.Table) -> Iterator[bytes]:
    """Yield the rows as JSON lists of at most `CHUNK_BYTES`; a larger single row comes alone."""
    held: list[bytes] = []
    size = 0
    names = table.column_names
    for values in zip(*(_json_values(column) for column in table.columns), strict=True):
        row = orjson.dumps(dict(zip(names, values, strict=True)))
        if held and size + len(row) + 1 > CHUNK_BYTES:
            yield b"[" + b",".join(held) + b"]"
            held, size = [], 0
        held.append(row)
        size += len(row) + 1
    if held:
        yield b"[" + b",".join(held) + b"]"


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
