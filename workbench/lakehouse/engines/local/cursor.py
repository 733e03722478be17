"""PEP 249's cursor: executes one statement, streams its result in Arrow batches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from . import errors
from .datatypes import result_name
from .engine import FAILURES, wrapped
from .parameters import adapted, narrowed, rows

if TYPE_CHECKING:
    from .connection import Connection

Description = list[tuple[str, str, None, None, int | None, int | None, bool | None]]
_BATCH_ROWS = 8192


class Cursor:
    """Rows of one statement at a time. `rowcount` is -1 for queries, else the true number of changed rows."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arraysize = 100
        self.description: Description | None = None
        self.rowcount = -1
        self.lastrowid = None
        self._closed = False
        self._duckdb: duckdb.DuckDBPyConnection | None = None
        self._owner: object | None = None
        self._reset()

    def _reset(self) -> None:
        self._streams = False
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self._whole: list[int] = []
        self.description, self.rowcount = None, -1

    @property
    def duckdb(self) -> duckdb.DuckDBPyConnection:
        """This cursor's own DuckDB connection, so that two open results do not end each other."""
        engine = self.connection.engine
        if self._duckdb is None or self._owner is not engine:
            self._duckdb, self._owner = engine.duckdb.cursor(), engine
            engine.results.add(self)
        return self._duckdb

    def native(self) -> list[object]:
        """The objects that must outlive a fork in the child."""
        return [self._duckdb, self._batches, self._rows]

    def execute(self, sql: str, params: Sequence[Any] | None = ()) -> Cursor:
        """Run one statement of Databricks SQL with `?` markers; returns the cursor."""
        self._check()
        self._reset()
        values = [adapted(value) for value in params or ()]
        try:
            self.connection.run(self, sql, values)
        except FAILURES as error:
            raise wrapped(error) from error
        return self

    def executemany(self, sql: str, many: Sequence[Sequence[Any]]) -> Cursor:
        """Run the statement once per set of parameters, one commit each; `rowcount` is the sum."""
        total = 0
        for params in many:
            total += max(self.execute(sql, params).rowcount, 0)
        self.rowcount = total
        return self

    # What the statements call.

    def show_query(self, text: str, values: dict[str, Any]) -> None:
        """Start a query whose rows stream; its first rows are made at once, so that its errors come from execute."""
        relation = self.duckdb.sql(text, params=values) if values else self.duckdb.sql(text)
        kinds = [str(kind) for kind in relation.types]
        self._whole = [i for i, kind in enumerate(kinds) if kind in ("HUGEINT", "UHUGEINT")]
        names = relation.columns
        self.description = [
            (n, result_name(k), None, None, *_digits(k), None) for n, k in zip(names, kinds, strict=True)
        ]
        self._streams = True
        self._open(relation)

    def show_rows(self, names: Sequence[str], found: Sequence[tuple[Any, ...]]) -> None:
        """Give ready rows as the result."""
        self.description = [(name, "STRING", None, None, None, None, None) for name in names]
        self._rows = iter(found)

    def changed(self, count: int) -> None:
        """Tell how many rows a write changed."""
        self.rowcount = count

    # Fetching.

    def _open(self, relation: Any) -> None:
        read = self._read(relation.to_arrow_reader(_BATCH_ROWS))
        first = next(read, None)
        self._batches = iter(()) if first is None else chain((first,), read)
        self._rows = chain.from_iterable(map(rows, self._batches))

    def _read(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except FAILURES as error:
                raise wrapped(error) from error
            yield narrowed(batch, self._whole)

    def fetchone(self) -> tuple[Any, ...] | None:
        self._check_result()
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        self._check_result()
        count = self.arraysize if size is None else size
        return list(islice(self._rows, count))

    def fetchall(self) -> list[tuple[Any, ...]]:
        self._check_result()
        return list(self._rows)

    def fetch_arrow_batches(self, batch_rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        """What was not fetched yet, in Arrow batches of at most `batch_rows`; memory stays constant.

        Take either rows or batches from one result: a batch of which a row was fetched does not come again.
        """
        self._check_result()
        if not self._streams:
            raise errors.NotSupportedError("This statement's result has no Arrow form; use fetchall().")
        for batch in self._batches:
            for start in range(0, batch.num_rows, batch_rows):
                yield batch.slice(start, batch_rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        self._check_result()
        return self._rows

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Does nothing; PEP 249 asks for it."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Does nothing; PEP 249 asks for it."""

    def close(self) -> None:
        """End the result; a closed cursor cannot be used again."""
        self._reset()
        if self._duckdb is not None and self._owner is self.connection.current_engine:
            self._duckdb.close()
        self._duckdb, self._closed = None, True

    def _check(self) -> None:
        if self._closed:
            raise errors.InterfaceError("The cursor is closed; open another one.")

    def _check_result(self) -> None:
        self._check()
        if self.description is None:
            raise errors.ProgrammingError("There is no result to fetch; execute a query first.")


def _digits(kind: str) -> tuple[int | None, int | None]:
    found = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind)
    return (int(found[1]), int(found[2])) if found else (None, None)
