"""Arrow rows to a table without SQL: plain appends, and appends guarded by unique keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from . import errors
from .dml import default
from .dialect import generate
from .locks import retrying
from .names import TableName, quoted
from .session import Session
from .snapshot import Snapshot
from .writing import commit, write_files

INCOMING = "__incoming"


@dataclass(frozen=True, slots=True)
class Conflict:
    """What to do with a row whose key exists: 'error', 'ignore' or 'update'."""

    action: str
    update_columns: tuple[str, ...] = ()
    target: tuple[str, ...] = ()


def append(session: Session, duck: duckdb.DuckDBPyConnection, name: TableName, batches: pa.Table | pa.RecordBatchReader) -> int:
    with session.writing(name) as target:
        text = f"SELECT {_casts(target, batches.schema.names)} FROM {INCOMING}"  # noqa: S608
        duck.register(INCOMING, batches)
        try:
            written = write_files(duck, target, text, {})
        finally:
            duck.unregister(INCOMING)
        if written.adds:
            commit(target, written.adds, [], "WRITE")
        return written.rows


def _casts(target: Snapshot, names: Sequence[str]) -> str:
    """Every column of the table from the incoming rows, cast, or its default; ProgrammingError for an unknown one."""
    given = {target.column(name).name: name for name in names}
    return ", ".join(
        f"CAST({quoted(given[c.name]) if c.name in given else generate(default(c))} AS {c.duckdb_type}) AS {quoted(c.name)}"
        for c in target.columns
    )


def append_unique(
    session: Session, duck: duckdb.DuckDBPyConnection, name: TableName, data: pa.Table, keys: list[list[str]], conflict: Conflict
) -> int:
    raise errors.NotSupportedError("not yet")
