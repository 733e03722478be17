"""Between Django's `%s` statements and an engine's `?` statements."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import pyarrow as pa
from django.db.utils import DataError
from django.utils.duration import duration_microseconds
from django.utils.encoding import force_str
from django.utils.functional import Promise

from workbench.lakehouse.rows import Rows

NAMED = re.compile(r"%\((\w+)\)s")

Params = Sequence[Any] | Mapping[str, Any] | None


class LakehouseCursor:
    """An engine's cursor that takes Django's markers and Python values."""

    def __init__(self, connection: Any) -> None:
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
            self._inserted = insert(self.connection, params[0])
            return self
        self.cursor.execute(sql % (("?",) * len(params)), [adapted(value) for value in params])
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


def insert(connection: Any, rows: Rows) -> int:
    """Write the rows as one commit and return how many were written."""
    try:
        table = rows.to_arrow()
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise DataError(f"A value does not fit its column in {rows.table}: {error}") from error
    if not rows.keys:
        return int(connection.append(rows.table, table))
    keys = [list(key) for key in rows.keys]
    if rows.within:
        # Equal keys lie in one partition, so asking for both columns finds the same rows and opens fewer files.
        keys[0].append(rows.within)
    return int(
        connection.append_unique(
            rows.table,
            table,
            keys,
            rows.on_conflict,
            update_columns=list(rows.update_columns),
            conflict_target=list(rows.target) or None,
        )
    )


def adapted(value: Any) -> Any:
    """Return the value as an engine binds it: UTC times, text for times and UUIDs, microseconds for durations."""
    match value:
        case datetime.datetime():
            return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        case datetime.time():
            return value.isoformat(timespec="microseconds")
        case datetime.timedelta():
            return duration_microseconds(value)
        case UUID():
            return str(value)
        case Promise():
            return force_str(value)
        case Decimal() | None | bool() | int() | float() | str() | bytes():
            return value
        case memoryview():
            return bytes(value)
        case list() | tuple():
            return [adapted(item) for item in value]
    return value
