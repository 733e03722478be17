"""PEP 249's connection over one lakehouse directory: autocommit, one Delta commit per statement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from . import bulk, commands, errors, statements, upkeep
from .cursor import Cursor
from .engine import FAILURES, wrapped
from .layout import Layout
from .session import Session
from .translate import parse


class Connection(Session):
    """Runs statements for one thread at a time."""

    def cursor(self) -> Cursor:
        self.check_open()
        return Cursor(self)

    def commit(self) -> None:
        """Nothing: every statement has committed already."""

    def rollback(self) -> None:
        raise errors.NotSupportedError("Delta tables have no transaction over statements; nothing can be rolled back.")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, cursor: Cursor, sql: str, values: list[Any]) -> None:
        """Execute one statement for a cursor; `Cursor.execute` is the way in."""
        if commands.run(self, cursor, sql, len(values)):
            return
        explained = statements.EXPLAIN.match(sql)
        parsed = parse(sql[explained.end() :] if explained else sql)
        if len(values) != parsed.markers:
            raise errors.ProgrammingError(
                f"Found {len(values)} parameters for {parsed.markers} markers; give one value for every `?`."
            )
        (statements.explain if explained else statements.run)(self, cursor, parsed, values)

    def append(self, table: tuple[str, ...] | str, batches: pa.Table | pa.RecordBatchReader) -> int:
        """Append Arrow rows as one commit; missing columns take their default or NULL. Returns the number of rows."""
        try:
            return bulk.append(self, self.cursor().duckdb, self.name(table), batches)
        except FAILURES as error:
            raise wrapped(error) from error

    def append_unique(
        self,
        table: tuple[str, ...] | str,
        data: pa.Table,
        keys: list[list[str]],
        on_conflict: str = "error",
        update_columns: Sequence[str] = (),
        conflict_target: Sequence[str] | None = None,
    ) -> int:
        """Append rows whose keys must not exist yet, as one commit. Returns the number of added or updated rows.

        Each key is a list of columns; rows with a NULL in a key never clash on it. `on_conflict`: 'error' raises
        IntegrityError with table, columns and value; 'ignore' skips rows that clash; 'update' sets `update_columns` of
        the row with the same `conflict_target`, and still raises for a clash on another key.
        """
        conflict = bulk.Conflict(on_conflict, tuple(update_columns), tuple(conflict_target or ()))
        try:
            return bulk.append_unique(self, self.cursor().duckdb, self.name(table), data, keys, conflict)
        except FAILURES as error:
            raise wrapped(error) from error

    def optimize(self, table: tuple[str, ...] | str, *, retain_hours: float = 168.0) -> None:
        """Compact small files, write a checkpoint, delete files unused for `retain_hours` and old log entries."""
        try:
            upkeep.optimize(self, self.name(table), retain_hours)
        except FAILURES as error:
            raise wrapped(error) from error


def connect(
    directory: str | Path,
    *,
    catalog: str,
    schema: str,
    lock_timeout: float = 60.0,
    threads: int = 2,
    memory: str = "1GB",
) -> Connection:
    """A connection to the lakehouse in `directory`, which is made when it is not there.

    `catalog` and `schema` complete names of fewer than three parts; they need not exist. A write waits `lock_timeout`
    seconds for other writers of its table. A query runs on `threads` threads; on one, rows without ORDER BY come in the
    same order each time; `memory` such as 4GB is what it may take before it goes to disk, or fails. OperationalError when the directory cannot be written.
    """
    return Connection(Layout(directory), catalog, schema, lock_timeout, threads, memory)
