"""PEP 249's cursor over the connector's: rows as plain values, row counts that are true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ..pep249 import InterfaceError, ProgrammingError
from .parameters import rows

if TYPE_CHECKING:
    from .connection import Connection

BATCH_ROWS = 10_000


class Cursor:
    """Rows of one statement at a time. `rowcount` is -1 for queries, else the number of changed rows."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arraysize = 100
        self.lastrowid = None
        self._closed = False
        self._raw: Any = None
        self._reset()

    def _reset(self) -> None:
        if self._raw is not None:
            self.connection.release(self._raw)
        self._raw = None
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self._batches: Iterator[pa.Table] = iter(())
        self._rows: Iterator[tuple[Any, ...]] = iter(())

    def execute(self, sql: str, params: Sequence[Any] | None = ()) -> Cursor:
        """Run one statement with `?` markers; returns the cursor."""
        self._check()
        self._reset()
        raw = self._raw = self.connection.run(sql, params or ())
        described = [(name, kind.upper(), *rest) for name, kind, *rest in raw.description or ()]
        self.rowcount = raw.rowcount
        self._batches = self._read()
        self._rows = chain.from_iterable(map(rows, self._batches))
        if self.rowcount < 0 and described and described[0][0] == "num_affected_rows":
            self.rowcount = int(next(self._rows)[0])
        # A write's answer is its row count; on a warehouse that comes as rows as well.
        self.description = described if described and self.rowcount < 0 else None
        return self

    def _read(self) -> Iterator[pa.Table]:
        while (table := self.connection.fetch(self._raw, BATCH_ROWS)).num_rows:
            yield table

    def fetchone(self) -> tuple[Any, ...] | None:
        self._check_result()
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        self._check_result()
        return list(islice(self._rows, self.arraysize if size is None else size))

    def fetchall(self) -> list[tuple[Any, ...]]:
        self._check_result()
        return list(self._rows)

    def fetch_arrow_batches(self, batch_rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """What was not fetched yet, in Arrow batches of at most `batch_rows`."""
        self._check_result()
        for table in self._batches:
            yield from table.to_batches(max_chunksize=batch_rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        self._check_result()
        return self._rows

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the result; a closed cursor cannot be used again."""
        self._reset()
        self._closed = True

    def _check(self) -> None:
        if self._closed:
            raise InterfaceError("The cursor is closed; open another one.")

    def _check_result(self) -> None:
        self._check()
        if self.description is None:
            raise ProgrammingError("There is no result to fetch; execute a query first.")
