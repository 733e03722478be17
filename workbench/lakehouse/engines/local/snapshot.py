"""One Delta table at one version, as a relation that DuckDB reads: the active files, typed by the table's schema."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import RemoveAction

from . import errors
from .datatypes import DeltaType, to_duckdb
from .names import TableName, quoted, unknown
from .protocol import check_readable

FILE_COLUMN, ROW_COLUMN = "__file", "file_row_number"
CONSTRAINTS_PROPERTY = "workbench.constraints"
DEFAULT_KEY, COMMENT_KEY = "workbench.default", "comment"
MOST_SMALL_FILES, SMALL_BYTES, TIDY_BYTES = 64, 4 << 20, 16 << 20


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; `type` as in Delta's schema, `default` and CHECKs as Databricks SQL text."""

    name: str
    type: DeltaType
    nullable: bool
    metadata: dict[str, Any]

    @property
    def duckdb_type(self) -> str:
        return to_duckdb(self.type)

    @property
    def default(self) -> str | None:
        return self.metadata.get(DEFAULT_KEY) or self.metadata.get("CURRENT_DEFAULT")

    @property
    def comment(self) -> str | None:
        return self.metadata.get(COMMENT_KEY)

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "type": self.type, "nullable": self.nullable, "metadata": self.metadata}


@dataclass
class Snapshot:
    """A table at one version. `files` are absolute paths, oldest first."""

    name: TableName
    path: Path
    delta: DeltaTable
    version: int
    columns: tuple[Column, ...]
    partitioned_by: tuple[str, ...]
    properties: dict[str, str]
    comment: str | None
    _by_partition: dict[str, dict[str | None, list[str]]] = field(default_factory=dict)

    @cached_property
    def _actions(self) -> pa.Table:
        wanted = ["path", "size_bytes", *(f"partition.{name}" for name in self.partitioned_by)]
        return pa.table(self.delta.get_add_actions(flatten=True)).select(wanted)

    @cached_property
    def files(self) -> list[str]:
        base = f"{self.path}/"
        return [base + unquote(path) for path in reversed(self._actions["path"].to_pylist())]

    @cached_property
    def _partition_values(self) -> dict[str, list[str | None]]:
        """For every partition column, the value of each file as Delta writes it."""
        return {
            name: list(reversed([partition_text(v) for v in self._actions[f"partition.{name}"].to_pylist()]))
            for name in self.partitioned_by
        }

    @cached_property
    def _sizes(self) -> list[int]:
        return list(reversed(self._actions["size_bytes"].to_pylist()))

    @property
    def crowded(self) -> bool:
        """Whether some partition holds more small files than a write should have to live with."""
        places = list(zip(*self._partition_values.values(), strict=True)) or [()] * len(self._sizes)
        small = Counter(place for place, size in zip(places, self._sizes, strict=True) if size < SMALL_BYTES)
        return bool(small) and max(small.values()) > MOST_SMALL_FILES

    @cached_property
    def shape(self) -> str:
        """A text that changes when a statement has to be translated anew: columns, types, defaults."""
        return json.dumps([column.as_json() for column in self.columns])

    def column(self, name: str) -> Column:
        """The column of that name, compared without case; ProgrammingError with near misses."""
        for column in self.columns:
            if column.name.lower() == name.lower():
                return column
        raise unknown("unresolved_column", name, [c.name for c in self.columns])

    @property
    def constraints(self) -> list[dict[str, Any]]:
        """Informational keys: `{"name", "type": "PRIMARY KEY" | "UNIQUE" | "FOREIGN KEY", "columns": [...]}`."""
        found: list[dict[str, Any]] = json.loads(self.properties.get(CONSTRAINTS_PROPERTY, "[]"))
        return found

    @property
    def primary_key(self) -> list[str]:
        """The columns of the informational primary key, [] without one."""
        return key_columns(self.constraints)

    @property
    def checks(self) -> dict[str, str]:
        prefix = "delta.constraints."
        return {k.removeprefix(prefix): v for k, v in self.properties.items() if k.startswith(prefix)}

    def files_where(self, wanted: dict[str, set[str | None]]) -> list[str]:
        """The files whose partition values are among the wanted ones, by column."""
        files: list[str] | None = None
        for column, values in wanted.items():
            if column not in self._by_partition:
                index: dict[str | None, list[str]] = {}
                for path, value in zip(self.files, self._partition_values[column], strict=True):
                    index.setdefault(value, []).append(path)
                self._by_partition[column] = index
            found = [path for value in values for path in self._by_partition[column].get(value, ())]
            files = found if files is None else [path for path in files if path in set(found)]
        return self.files if files is None else files

    def largest(self, paths: list[str]) -> str:
        """The largest of some files of this snapshot."""
        wanted = set(paths)
        return max((size, path) for path, size in zip(self.files, self._sizes, strict=True) if path in wanted)[1]

    def removal(self, paths: list[str], now_ms: int) -> list[RemoveAction]:
        """Delta's remove actions for files of this snapshot."""
        at = {path: index for index, path in enumerate(self.files)}
        base = len(str(self.path)) + 1
        return [
            RemoveAction(
                path[base:],
                True,
                now_ms,
                self._sizes[at[path]],
                {name: self._partition_values[name][at[path]] for name in self.partitioned_by},
            )
            for path in paths
        ]

    def relation(self, parameter: str, *, row_ids: bool = False) -> str:
        """A DuckDB subquery over the files bound to `$parameter`; with row ids, file and row number as well.

        The first file is the empty template with the table's schema: it types the columns that older files lack.
        """
        names = ", ".join(quoted(column.name) for column in self.columns)
        options = ["union_by_name=true", "hive_partitioning=" + str(bool(self.partitioned_by)).lower()]
        if self.partitioned_by:
            kinds = ", ".join(f"{quoted(n)}: '{self.column(n).duckdb_type}'" for n in self.partitioned_by)
            options += [f"hive_types={{{kinds}}}", "hive_types_autocast=false"]
        if row_ids:
            names += f", {FILE_COLUMN}, {ROW_COLUMN}"
            options += [f"filename='{FILE_COLUMN}'", f"{ROW_COLUMN}=true"]
        return f"(SELECT {names} FROM read_parquet(${parameter}, {', '.join(options)}))"


def key_columns(constraints: list[dict[str, Any]]) -> list[str]:
    """The columns of the primary key among informational keys, [] without one."""
    return next((list(k["columns"]) for k in constraints if k["type"] == "PRIMARY KEY"), [])


def partition_text(value: Any) -> str | None:
    """A partition value as Delta's log spells it."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return str(value)


def load(name: TableName, path: Path, version: int | None = None) -> Snapshot:
    """The table at its newest or the given version.

    ProgrammingError where there is no such table or version, NotSupportedError for what this engine cannot read, a
    broken log among it.
    """
    try:
        delta = DeltaTable(path, version=version)
    except TableNotFoundError as error:
        raise errors.ProgrammingError(f"[TABLE_OR_VIEW_NOT_FOUND] {path} holds no Delta table.") from error
    except DeltaError as error:
        raise errors.NotSupportedError(
            f"The Delta log of {name} cannot be read: {error}. Repair it with the tool that writes the table, or move "
            f"{path} away."
        ) from error
    return read_state(name, path, delta)


def read_state(name: TableName, path: Path, delta: DeltaTable) -> Snapshot:
    check_readable(name, delta)
    metadata = delta.metadata()
    fields = json.loads(delta.schema().to_json())["fields"]
    return Snapshot(
        name=name,
        path=path,
        delta=delta,
        version=delta.version(),
        columns=tuple(Column(f["name"], f["type"], f["nullable"], f["metadata"]) for f in fields),
        partitioned_by=tuple(metadata.partition_columns),
        properties=dict(metadata.configuration),
        comment=metadata.description,
    )


def identity(path: Path) -> tuple[int, int]:
    """What tells a table from one dropped and made again at its place: inodes alone are used again."""
    log = path / "_delta_log"
    try:
        born = os.stat(log / f"{0:020d}.json").st_mtime_ns
    except FileNotFoundError:
        born = 0
    return os.stat(log).st_ino, born


def state_token(path: Path, version: int) -> tuple[int, int, int] | None:
    """What changes when a commit is added or the table is made anew; None when the next commit is already there.

    The directory's mtime alone is too coarse (a few milliseconds), the next commit's file alone misses a table that was
    dropped and created again, or whose old commits were cleaned away. OSError when there is no table.
    """
    log = path / "_delta_log"
    changed = os.stat(log).st_mtime_ns
    if os.path.exists(f"{log}/{version + 1:020d}.json"):
        return None
    return *identity(path), changed
