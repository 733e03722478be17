"""Python values to what DuckDB binds, and result batches to Python rows."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

import pyarrow as pa

from . import errors
from .dialect import json_path


def adapted(value: Any) -> Any:
    """The value as it is bound: instants in UTC, UUIDs as text, tuples as lists."""
    if value is None or isinstance(value, bool | float | bytes):
        return value
    if isinstance(value, Enum):
        return adapted(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [adapted(item) for item in value]
    if isinstance(value, dict):
        return {key: adapted(item) for key, item in value.items()}
    if isinstance(value, dt.date | dt.timedelta):
        return value
    raise errors.ProgrammingError(
        f"Found a parameter of type {type(value).__name__}; allowed: str, int, float, bool, Decimal, bytes, datetime, "
        "date, timedelta, UUID, list, dict and None. Convert it first."
    )


def _whole(value: int) -> int:
    if not -(2**127) < value < 2**127:
        raise errors.DataError(f"[ARITHMETIC_OVERFLOW] Found an integer of {value.bit_length()} bits; at most 127.")
    return int(value)


def _decimal(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise errors.DataError(f"Found the decimal {value}; a DECIMAL is finite.")
    plain = Decimal(f"{value:f}")
    if len(plain.as_tuple().digits) > 38:
        raise errors.DataError(f"Found a decimal of {len(plain.as_tuple().digits)} digits; a DECIMAL has at most 38.")
    return plain


def bound(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """The parameters named in a query (`p3`, `p3_path`) with their adapted values."""
    found: dict[str, Any] = {}
    for name in names:
        value = values[int(name[1:].split("_")[0])]
        found[name] = json_path(value) if name.endswith("_path") else value
    return found


def rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """The rows of a batch as Python values; instants are aware, in UTC."""
    if not batch.num_columns:
        return iter(())
    return zip(*(_column(column) for column in batch.columns), strict=True)


def _column(column: pa.Array) -> Iterable[Any]:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz:
        naive = column.cast(pa.timestamp("us")).to_pylist()
        return [None if value is None else value.replace(tzinfo=dt.UTC) for value in naive]
    values: list[Any] = column.to_pylist()
    if pa.types.is_map(kind):
        return [None if value is None else dict(value) for value in values]
    return values


def narrowed(batch: pa.RecordBatch, whole: Sequence[int]) -> pa.RecordBatch:
    """The batch with DuckDB's 128-bit sums as BIGINT, which is what Spark's SUM gives; DataError on overflow."""
    if not whole:
        return batch
    columns = list(batch.columns)
    try:
        for index in whole:
            columns[index] = columns[index].cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise errors.DataError(f"[ARITHMETIC_OVERFLOW] A sum exceeds BIGINT: {error}") from error
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
