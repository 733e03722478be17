"""Between Django's `%s` statements and an engine's `?` statements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from workbench.lakehouse.engines import Engine
from workbench.lakehouse.literals import adapted, literal
from workbench.lakehouse.rows import Rows

NAMED = re.compile(r"%\((\w+)\)s")

Params = Sequence[Any] | Mapping[str, Any] | None


class LakehouseCursor:
    """An engine's cursor that takes Django's markers and Python values."""

    def __init__(self, engine: Engine, connection: Any) -> None:
        self.engine = engine
        self.connection = connection
        self.cursor = connection.cursor()
        self._inserted: int | None = None

    def execute(self, sql: str, params: Params = None) -> Self:
        """Run one statement; `params` fill `%s` or `%(name)s`, and without them `%` stands for itself."""
        self._inserted = None
        if params is None:
            self.cursor.execute(sql)
            return self
        if isinstance(params, Mapping):
            names = NAMED.findall(sql)
            sql, params = NAMED.sub("%s", sql), [params[name] for name in names]
        if len(params) == 1 and isinstance(params[0], Rows):
            self._inserted = self.engine.insert(self.connection, sql, params[0])
            return self
        values = [adapted(value) for value in params]
        if not self.engine.fits(values):
            self.cursor.execute(sql % tuple(map(literal, values)))
            return self
        bound = [self.engine.bound(value) for value in values]
        self.cursor.execute(sql % tuple(marker for marker, _ in bound), [parameter for _, parameter in bound])
        return self

    def executemany(self, sql: str, param_list: Iterable[Sequence[Any]]) -> None:
        """Run the statement once for each row of parameters; `rowcount` is their sum."""
        total = 0
        for params in param_list:
            self.execute(sql, params)
            total += max(self.rowcount, 0)
        self._inserted = total

    @property
    def rowcount(self) -> int:
        return self.cursor.rowcount if self._inserted is None else self._inserted

    def fetchone(self) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self.cursor.fetchone()
        return row

    def fetchmany(self, size: int = 100) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.cursor.fetchmany(size)
        return rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.cursor.fetchall()
        return rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.cursor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.cursor.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor, name)
