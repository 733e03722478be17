"""Arrow rows to a table without SQL: plain appends, and appends guarded by unique keys. Each is one commit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from . import changes, errors
from .dialect import generate
from .dml import default
from .locks import retrying
from .names import TableName, quoted
from .session import Session
from .snapshot import FILE_COLUMN, ROW_COLUMN, Snapshot, partition_text
from .writing import commit, write_files

INCOMING, ROWS, MATCHED, NUMBER = "__incoming", "__rows", "__matched", "__number"
PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_ACTIONS = ("error", "ignore", "update")
_MOST_PARTITIONS = 1000


@dataclass(frozen=True, slots=True)
class Conflict:
    """What to do with a row whose key exists: 'error', 'ignore' or 'update'."""

    action: str
    update_columns: tuple[str, ...] = ()
    target: tuple[str, ...] = ()


def append(
    session: Session, duck: duckdb.DuckDBPyConnection, name: TableName, batches: pa.Table | pa.RecordBatchReader
) -> int:
    """Append the rows, streamed; returns their number."""
    with session.writing(name) as target, _registered(duck, batches):
        text = f"SELECT {_casts(target, batches.schema.names)} FROM {INCOMING}"
        written = write_files(duck, target, text, {}, row_bytes=_row_bytes(batches))
        if written.adds:
            commit(target, written.adds, [], "WRITE")
        return written.rows


def _row_bytes(data: pa.Table | pa.RecordBatchReader) -> float:
    """The bytes of an average row; a stream does not tell."""
    return data.nbytes / data.num_rows if isinstance(data, pa.Table) and data.num_rows else 0


@contextmanager
def _registered(duck: duckdb.DuckDBPyConnection, data: pa.Table | pa.RecordBatchReader) -> Iterator[None]:
    duck.register(INCOMING, data)
    try:
        yield
    finally:
        duck.unregister(INCOMING)


def _casts(target: Snapshot, names: Sequence[str], only: Sequence[str] | None = None) -> str:
    """The columns of the table (or only some) from the incoming rows, cast, or their defaults.

    ProgrammingError for an incoming column that the table lacks.
    """
    given = {target.column(name).name: name for name in names}
    return ", ".join(
        f"CAST({quoted(given[c.name]) if c.name in given else generate(default(c))} AS {c.duckdb_type}) "
        f"AS {quoted(c.name)}"
        for c in target.columns
        if only is None or c.name in only
    )


def append_unique(
    session: Session,
    duck: duckdb.DuckDBPyConnection,
    name: TableName,
    data: pa.Table,
    keys: Sequence[Sequence[str]],
    conflict: Conflict,
) -> int:
    """Append rows under the table's lock after looking for their keys; see `Connection.append_unique`."""
    if conflict.action not in _ACTIONS or (conflict.action == "update" and not conflict.target):
        raise errors.ProgrammingError(
            f"Found on_conflict={conflict.action!r}; allowed: error, ignore, or update with a conflict_target."
        )

    def statement() -> int:
        with session.writing(name) as target:
            return _Guarded(session, duck, target, keys, conflict).run(data)

    return retrying(statement)


class _Guarded:
    """One guarded append: the rows are in the temporary table ROWS, numbered by their rowid."""

    def __init__(
        self,
        session: Session,
        duck: duckdb.DuckDBPyConnection,
        target: Snapshot,
        keys: Sequence[Sequence[str]],
        conflict: Conflict,
    ) -> None:
        self.session, self.duck, self.target, self.conflict = session, duck, target, conflict
        self.keys = [[target.column(c).name for c in key] for key in keys]
        self.match = [target.column(c).name for c in conflict.target]
        self.updated = [target.column(c).name for c in conflict.update_columns]

    def run(self, data: pa.Table) -> int:
        names = data.schema.names
        with _registered(self.duck, data.append_column(NUMBER, pa.array(range(data.num_rows), pa.int64()))):
            if self.conflict.action == "update":
                self._load(_casts(self.target, names))
                return self._upsert()
            # The rows themselves go from Arrow to the file; only what decides about them is kept beside.
            deciding = {column for key in self.keys for column in key} | set(self.target.partitioned_by)
            self._load(f"{_casts(self.target, names, [*deciding])}, {NUMBER}")
            if self.conflict.action == "ignore":
                self._drop_known()
            else:
                for key in self.keys:
                    self._refuse_twice(key)
                    self._refuse_known(key)
            return self._add(data)

    def _load(self, columns: str) -> None:
        self.duck.execute(f"CREATE OR REPLACE TEMP TABLE {ROWS} AS SELECT {columns} FROM {INCOMING}")

    def _add(self, data: pa.Table) -> int:
        ((left,),) = self.duck.execute(f"SELECT count(*) FROM {ROWS}").fetchall()
        some = "" if left == data.num_rows else f" WHERE {NUMBER} IN (SELECT {NUMBER} FROM {ROWS})"
        text = f"SELECT {_casts(self.target, data.schema.names)} FROM {INCOMING}{some}"
        written = write_files(self.duck, self.target, text, {}, self._one_partition(), _row_bytes(data))
        if written.adds:
            commit(self.target, written.adds, [], "WRITE", strict=True)
        return written.rows

    def _one_partition(self) -> dict[str, str] | None:
        """The partition that all rows lie in, where there is one and its value is a plain name for a directory."""
        if len(self.target.partitioned_by) != 1:
            return None
        (column,) = self.target.partitioned_by
        found = self.duck.execute(f"SELECT DISTINCT {quoted(column)} FROM {ROWS} LIMIT 2").fetchall()
        value = found[0][0] if len(found) == 1 else None
        if isinstance(value, str) and PLAIN.fullmatch(value) and PLAIN.fullmatch(column):
            return {column: value}
        return None

    def _table(
        self, key: Sequence[str], *, parameter: str = "files", row_ids: bool = False
    ) -> tuple[str, dict[str, object]]:
        """The table's rows that could have one of the incoming keys: only the partitions that the rows name."""
        wanted: dict[str, set[str | None]] = {}
        for column in (c for c in key if c in self.target.partitioned_by and self.target.column(c).type == "string"):
            text = f"SELECT DISTINCT {quoted(column)} FROM {ROWS} LIMIT {_MOST_PARTITIONS + 1}"
            values = self.duck.execute(text).fetchall()
            if len(values) <= _MOST_PARTITIONS:
                wanted[column] = {partition_text(value) for (value,) in values if value is not None}
        files = self.target.files_where(wanted) if wanted else self.target.files
        relation, paths = self.session.engine.relation(self.target, parameter, files, row_ids=row_ids)
        return relation, {parameter: paths}

    def _refuse_twice(self, key: Sequence[str]) -> None:
        names = ", ".join(map(quoted, key))
        present = " AND ".join(f"{quoted(c)} IS NOT NULL" for c in key)
        found = self.duck.execute(
            f"SELECT {names} FROM {ROWS} WHERE {present} GROUP BY {names} HAVING count(*) > 1 LIMIT 1"
        ).fetchall()
        if found:
            raise self._duplicate(key, found[0], "comes twice in the rows to write")

    def _refuse_known(
        self, key: Sequence[str], condition: str = "true", more: Mapping[str, object] | None = None
    ) -> None:
        relation, values = self._table(key)
        names = ", ".join(f"r.{quoted(c)}" for c in key)
        found = self.duck.execute(
            f"SELECT {names} FROM {ROWS} AS r JOIN {relation} AS t ON {_equal(key)} WHERE {condition} LIMIT 1",
            {**values, **(more or {})},
        ).fetchall()
        if found:
            raise self._duplicate(key, found[0], "exists already")

    def _duplicate(self, key: Sequence[str], value: Sequence[object], why: str) -> errors.IntegrityError:
        shown = ", ".join(repr(v) for v in value)
        return errors.IntegrityError(
            f"[DUPLICATE_KEY] UNIQUE constraint failed: {self.target.name} ({', '.join(key)}) = ({shown}) {why}."
        )

    def _drop_known(self) -> None:
        """Drop rows whose key exists, and later rows with the key of an earlier one."""
        for key in self.keys:
            relation, values = self._table(key)
            self.duck.execute(
                f"DELETE FROM {ROWS} AS r WHERE EXISTS (SELECT 1 FROM {relation} AS t WHERE {_equal(key)})",
                values,
            )
        if any(self._has_twins(key) for key in self.keys):
            self._drop_later()

    def _has_twins(self, key: Sequence[str]) -> bool:
        try:
            self._refuse_twice(key)
        except errors.IntegrityError:
            return True
        return False

    def _drop_later(self) -> None:
        names = list(dict.fromkeys(c for key in self.keys for c in key))
        text = f"SELECT rowid, {', '.join(map(quoted, names))} FROM {ROWS} ORDER BY rowid"
        seen: set[tuple[int, tuple[object, ...]]] = set()
        dropped: list[int] = []
        for number, *values in self.duck.execute(text).fetchall():
            row = dict(zip(names, values, strict=True))
            own = [(i, tuple(row[c] for c in key)) for i, key in enumerate(self.keys)]
            full = {mark for mark in own if None not in mark[1]}
            if full & seen:
                dropped.append(number)
            else:
                seen |= full
        self.duck.execute(f"DELETE FROM {ROWS} WHERE rowid IN (SELECT unnest($gone))", {"gone": dropped})

    def _upsert(self) -> int:
        for key in [self.match, *(k for k in self.keys if k != self.match)]:
            self._refuse_twice(key)
        for key in (k for k in self.keys if set(k) != set(self.match)):
            self._refuse_other(key)
        relation, values = self._table(self.match, row_ids=True)
        self.duck.execute(
            f"CREATE OR REPLACE TEMP TABLE {MATCHED} AS SELECT r.rowid AS __row, t.* "
            f"FROM {relation} AS t JOIN {ROWS} AS r ON {_equal(self.match)}",
            values,
        )
        names = ", ".join(quoted(c.name) for c in self.target.columns)
        merged = ", ".join(f"{'r' if c.name in self.updated else 't'}.{quoted(c.name)}" for c in self.target.columns)
        text = (
            f"SELECT t.{FILE_COLUMN}, t.{ROW_COLUMN}, '{changes.UPDATE}' AS {changes.ACTION}, {merged} "
            f"FROM {MATCHED} AS t JOIN {ROWS} AS r ON t.__row = r.rowid UNION ALL "
            f"SELECT NULL, NULL, '{changes.INSERT}', {names} FROM {ROWS} AS r "
            f"WHERE rowid NOT IN (SELECT __row FROM {MATCHED})"
        )
        changed = changes.collect(self.duck, text, {})
        if changed:
            changes.apply(self.session, self.duck, self.target, "MERGE")
        return changed

    def _refuse_other(self, key: Sequence[str]) -> None:
        """A clash on another key with any row but the one that is updated."""
        other = " OR ".join(f"t.{quoted(c)} IS DISTINCT FROM r.{quoted(c)}" for c in self.match)
        if set(key) & set(self.updated):
            self._refuse_known(key, other)
            return
        relation, values = self._table(self.match, parameter="own_files")
        is_new = f"NOT EXISTS (SELECT 1 FROM {relation} AS u WHERE {_equal(self.match, 'u')})"
        self._refuse_known(key, is_new, values)


def _equal(key: Sequence[str], table: str = "t") -> str:
    return " AND ".join(f"{table}.{quoted(c)} = r.{quoted(c)}" for c in key)
