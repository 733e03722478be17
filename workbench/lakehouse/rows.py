"""The one parameter of an insert statement: rows with their types and the rule for rows that exist already.

An engine decides how they travel: an Arrow append on the local lakehouse, a JSON parameter on a warehouse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

OnConflict = Literal["error", "ignore", "update"]

ARROW_TYPES: dict[str, pa.DataType] = {
    "STRING": pa.string(),
    "BOOLEAN": pa.bool_(),
    "SMALLINT": pa.int16(),
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
    "BINARY": pa.binary(),
}


@dataclass(frozen=True)
class Rows:
    """Rows of one table: `columns` are (name, Databricks type); `keys` the column sets that must be unique.

    `target` is the key of an upsert. `within` names a partition column inside which the first key is unique by
    construction, so that the search for a clash can stay there.
    """

    table: str
    columns: Sequence[tuple[str, str]]
    values: Sequence[Sequence[Any]]
    keys: Sequence[Sequence[str]] = ()
    on_conflict: OnConflict = "error"
    update_columns: Sequence[str] = ()
    target: Sequence[str] = ()
    within: str | None = None

    def __repr__(self) -> str:
        return f"<{len(self.values)} rows of {self.table}>"

    def to_arrow(self) -> pa.Table:
        """Return the rows as one Arrow table; a value outside its column's type raises `pa.ArrowInvalid`."""
        schema = pa.schema([(name, arrow_type(sql_type)) for name, sql_type in self.columns])
        columns = list(zip(*self.values, strict=True)) or [()] * len(schema)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)


def arrow_type(sql_type: str) -> pa.DataType:
    """Return the Arrow type of a Databricks type, such as `DECIMAL(10,2)` or `ARRAY<STRING>`."""
    if sql_type in ARROW_TYPES:
        return ARROW_TYPES[sql_type]
    if match := re.fullmatch(r"DECIMAL\((\d+), ?(\d+)\)", sql_type):
        return pa.decimal128(int(match[1]), int(match[2]))
    if match := re.fullmatch(r"ARRAY<(.+)>", sql_type):
        return pa.list_(arrow_type(match[1]))
    raise ValueError(f"The column type {sql_type!r} has no Arrow type: use one of {', '.join(ARROW_TYPES)}.")
