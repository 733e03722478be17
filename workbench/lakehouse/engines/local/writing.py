"""Rows to Parquet files and one Delta commit: DuckDB writes the files, delta-rs commits them."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from deltalake import CommitProperties
from deltalake import Schema as DeltaSchema
from deltalake.transaction import AddAction, RemoveAction
from pyarrow import parquet

from . import errors
from .datatypes import VOID
from .dialect import check_functions, generate
from .names import literal, quoted
from .snapshot import Column, Snapshot
from .translate import parse

FILE_OPTIONS = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, RETURN_STATS"
# Small groups of rows let a page skip most of a large file, and each thread holds a whole one while it writes: wide rows
# come in smaller ones, of which DuckDB makes none below a vector of rows.
GROUP_ROWS, VECTOR_ROWS, GROUP_BYTES = 20_480, 2_048, 32 << 20
OPERATION_KEY = "workbenchOperation"
_EXACT_NUMBERS = ("long", "integer", "short", "byte")


@dataclass(frozen=True, slots=True)
class Written:
    """New files, not yet committed."""

    adds: list[AddAction]
    rows: int


def write_files(
    duck: duckdb.DuckDBPyConnection,
    target: Snapshot,
    select: str,
    values: Mapping[str, Any],
    partition: Mapping[str, str] | None = None,
    row_bytes: float = 0,
) -> Written:
    """Write the rows of a DuckDB query, which names the table's columns, as new files of the table.

    `partition` tells that all rows lie in that one, which saves sorting them into many; `row_bytes` how wide they are,
    where that is known. NOT NULL and CHECK are enforced on the way: IntegrityError, and nothing stays behind.
    """
    names = [quoted(c.name) for c in target.columns if c.name not in (partition or ()) and c.type != VOID]
    text = f"SELECT {', '.join(names)} FROM ({select}) AS __new{_constraint_filter(target)}"
    options = f"{FILE_OPTIONS}, ROW_GROUP_SIZE {_group_rows(row_bytes)}"
    destination = target.path
    if target.partitioned_by and not partition:
        parts = ", ".join(map(quoted, target.partitioned_by))
        options += f", PARTITION_BY ({parts}), FILENAME_PATTERN 'part-{{uuid}}', OVERWRITE_OR_IGNORE"
    else:
        destination = destination.joinpath(*(f"{name}={value}" for name, value in (partition or {}).items()))
        destination.mkdir(exist_ok=True)
        destination = destination / f"part-{uuid.uuid4()}.parquet"
    copy = f"COPY ({text}) TO {literal(str(destination))} ({options})"
    found = (duck.execute(copy, dict(values)) if values else duck.execute(copy)).fetchall()
    if partition:
        found = [(*row[:5], partition, *row[6:]) for row in found]
    return _described(target, found)


def _group_rows(row_bytes: float) -> int:
    fitting = int(GROUP_BYTES // max(row_bytes, 1)) // VECTOR_ROWS * VECTOR_ROWS
    return max(VECTOR_ROWS, min(GROUP_ROWS, fitting))


def row_bytes(target: Snapshot, paths: list[str]) -> float:
    """The bytes of a row in the largest of these files of the table, 0 without any."""
    if not paths:
        return 0
    group = parquet.read_metadata(target.largest(paths)).row_group(0)
    return float(group.total_byte_size / group.num_rows)


def _described(target: Snapshot, found: Sequence[tuple[Any, ...]]) -> Written:
    kinds = {c.name: c.type for c in target.columns}
    adds, total, now = [], 0, int(time.time() * 1000)
    for path, rows, size, _, statistics, partition, *_ in found:
        if not rows:
            Path(path).unlink(missing_ok=True)
            continue
        total += rows
        relative = os.path.relpath(path, target.path)
        stats = json.dumps(_statistics(rows, dict(statistics or {}), kinds))
        adds.append(AddAction(relative, size, _partition(target, partition), now, True, stats))
    return Written(adds, total)


def _partition(target: Snapshot, found: Mapping[str, str | None] | None) -> dict[str, str | None]:
    values = dict(found or {})
    return {name: _logged(target.column(name).type, values[name]) for name in target.partitioned_by}


def _logged(kind: Any, value: str | None) -> str | None:
    """A partition value of DuckDB as Delta's log spells it: times in UTC without an offset."""
    if value is None or kind not in ("timestamp", "timestamp_ntz"):
        return value
    second, _, fraction = value.removesuffix("+00").partition(".")
    return f"{second}.{fraction:0<6}"


def _statistics(rows: int, found: Mapping[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Delta's file statistics, for the top-level columns whose bounds JSON holds exactly."""
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for key, raw in found.items():
        name, values = key[1:-1].replace('""', '"'), dict(raw)
        if name not in kinds or "null_count" not in values:
            continue
        nulls[name] = int(values["null_count"])
        if values.get("min_is_exact") == values.get("max_is_exact") == "true" and values.get("has_nan") != "true":
            bounds = _bounds(kinds[name], values["min"], values["max"])
            if bounds:
                low[name], high[name] = bounds
    return {"numRecords": rows, "minValues": low, "maxValues": high, "nullCount": nulls}


def _bounds(kind: Any, low: str, high: str) -> tuple[Any, Any] | None:
    if kind in _EXACT_NUMBERS:
        return int(low), int(high)
    if kind in ("string", "date"):
        return (low, high) if len(low) <= 64 and len(high) <= 64 else None
    if kind == "timestamp":
        return _instant(low), _instant(high)
    return None


def _instant(text: str) -> str:
    return text.removesuffix("+00").replace(" ", "T") + "Z"


def _constraint_filter(target: Snapshot) -> str:
    """A WHERE clause that is true for every row, or raises what the row violates."""
    branches = []
    for column in target.columns:
        if not column.nullable:
            branches.append((f"{quoted(column.name)} IS NULL", _not_null(target, column)))
        if column.type == VOID:
            only = f"Conversion Error: the column {column.name} of {target.name} is VOID and holds NULL alone"
            branches.append((f"{quoted(column.name)} IS NOT NULL", only + "; ALTER COLUMN … TYPE gives it a type."))
        if column.name in target.partitioned_by and column.type == "string":
            empty = f"Conversion Error: the partition column {column.name} of {target.name} holds an empty string"
            branches.append((f"{quoted(column.name)} = ''", empty + "; Delta cannot tell it from NULL."))
    for name, text in target.checks.items():
        message = f"[{errors.CHECK}] CHECK constraint {name} ({text}) of {target.name} violated by a row."
        branches.append((f"({check_expression(text)}) IS NOT TRUE", message))
    if not branches:
        return ""
    cases = " ".join(f"WHEN {condition} THEN error({literal(message)})" for condition, message in branches)
    return f" WHERE CASE {cases} ELSE true END"


def _not_null(target: Snapshot, column: Column) -> str:
    return f"[{errors.NOT_NULL}] NULL for the column {column.name} of {target.name}, which is NOT NULL."


def check_expression(text: str) -> str:
    """A CHECK's Databricks text as DuckDB's."""
    tree = parse(f"SELECT {text}").tree.expressions[0].copy()
    check_functions(tree)
    return generate(tree)


def commit(
    target: Snapshot, adds: list[AddAction], removes: list[RemoveAction], operation: str, *, strict: bool = False
) -> None:
    """One Delta commit of new and removed files.

    A commit that removes, or is strict, fails with delta-rs's CommitFailedError when any other commit came between;
    plain appends go on top of it. Written files of a failed commit stay for VACUUM: the error may have come afterwards.
    """
    if removes:
        _need_removable(target, operation)
    retries = 0 if removes or strict else None
    properties = CommitProperties(custom_metadata={OPERATION_KEY: operation}, max_commit_retries=retries)
    target.delta.create_write_transaction(
        [*adds, *removes],
        "append",
        target.delta.schema(),
        list(target.partitioned_by),
        commit_properties=properties,
    )


def _need_removable(target: Snapshot, operation: str) -> None:
    if target.properties.get("delta.appendOnly") == "true":
        raise errors.NotSupportedError(
            f"Found {operation} of {target.name}, which takes new rows only ('delta.appendOnly' = 'true'); insert, or "
            "set the property to false."
        )


def replace_rows(
    target: Snapshot,
    adds: list[AddAction],
    columns: Sequence[Column],
    operation: str,
    filters: Sequence[tuple[str, str, Any]] | None = None,
) -> None:
    """One commit that sets the table's columns and replaces its files, or those that the filters match, by new ones."""
    if filters is None:
        _need_removable(target, operation)
    properties = CommitProperties(custom_metadata={OPERATION_KEY: operation}, max_commit_retries=0)
    fields = [column.as_json() for column in columns]
    target.delta.create_write_transaction(
        [*adds],
        "overwrite",
        DeltaSchema.from_json(json.dumps({"type": "struct", "fields": fields})),
        list(target.partitioned_by),
        None if filters is None else list(filters),
        commit_properties=properties,
    )
