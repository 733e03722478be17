"""How values travel beside a statement, and how rows come back."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from ..pep249 import DataError

# The platform's limits for one statement.
MOST_MARKERS = 255
MOST_BYTES = 1_000_000


def bound(value: Any) -> tuple[str, Any]:
    """Return the marker and the parameter: the connector binds no bytes and loses the scale of Decimal('1E-7')."""
    match value:
        case bytes():
            return "UNHEX(?)", value.hex()
        case list():
            kind = "BIGINT" if value and all(type(item) is int for item in value) else "STRING"
            return f"FROM_JSON(?, 'ARRAY<{kind}>')", json.dumps(value, ensure_ascii=False, default=str)
        case Decimal():
            return _decimal(value)
        case datetime.datetime():
            return "?", value.astimezone(datetime.UTC)
    return "?", value


def _decimal(value: Decimal) -> tuple[str, str]:
    if not value.is_finite():
        raise DataError(f"Found the decimal {value}; a DECIMAL is finite.")
    text = format(value, "f")
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = max(len(whole.lstrip("0")) + len(fraction), 1)
    if digits > 38:
        raise DataError(f"Found a decimal of {digits} digits; a DECIMAL has at most 38.")
    return f"CAST(? AS DECIMAL({digits},{len(fraction)}))", text


def fits(values: Sequence[Any]) -> bool:
    """Say whether a statement may have these parameters: at most 255, and one megabyte."""
    return len(values) <= MOST_MARKERS and sum(map(_size, values)) <= MOST_BYTES


def _size(value: Any) -> int:
    match value:
        case str():
            return len(value.encode(errors="surrogatepass"))
        case bytes():
            return 2 * len(value)
        case list():
            return sum(map(_size, value)) + 4 * len(value)
    return 32


def rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Yield the rows as Python values; instants are aware, in UTC, and maps are dicts."""
    if not table.num_columns:
        return iter(())
    return zip(*(_column(column) for column in table.columns), strict=True)


def _column(column: pa.ChunkedArray) -> Iterable[Any]:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz:
        naive = column.cast(pa.timestamp("us")).to_pylist()
        return [None if value is None else value.replace(tzinfo=datetime.UTC) for value in naive]
    values: list[Any] = column.to_pylist()
    if pa.types.is_map(kind):
        return [None if value is None else dict(value) for value in values]
    return values
