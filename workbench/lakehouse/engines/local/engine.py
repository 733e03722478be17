"""DuckDB over the snapshots: one in-memory DuckDB per process and connection, which sees nothing but the lakehouse."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import platform
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import duckdb
import pyarrow as pa
from deltalake.exceptions import DeltaError

from . import errors, snapshot
from .datatypes import to_duckdb
from .layout import Layout
from .macros import MACROS
from .names import TableName, literal, quoted
from .snapshot import Column, Snapshot
from .translate import TableUse

Token = tuple[int, int, int]

FAILURES = (duckdb.Error, pa.ArrowException, DeltaError, OSError)
"""What an engine below raises; `wrapped` makes it PEP 249's."""

_PARTITION_NULL = "__HIVE_DEFAULT_PARTITION__"


# Of malloc.h, and the bytes from which memory is the system's again as soon as it is freed.
M_MMAP_THRESHOLD, LARGE = -3, 1 << 20

_LIVE: weakref.WeakSet[Engine] = weakref.WeakSet()


def _give_memory_back() -> None:
    """Have what is freed go back to the system: in a pass over millions of rows some 50 MB that nobody uses any more."""
    if platform.libc_ver()[0] == "glibc":
        # Its threshold else grows to 32 MB with what is freed, and smaller pieces stay in a heap that is never whole again.
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)


class _Runtime:
    """delta-rs starts its threads once, and refuses to work in a child forked after that."""

    used = False
    lost = False

    @classmethod
    def after_fork(cls) -> None:
        """In the child: never run the destructors of the parent's objects, which wait for threads left behind."""
        cls.lost = cls.lost or cls.used
        for engine in list(_LIVE):
            for thing in engine.native():
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))

    @classmethod
    def use(cls) -> None:
        if cls.lost:
            raise errors.OperationalError(
                "This process was forked from one that had used the lakehouse already; delta-rs cannot go on in it. "
                "Start workers before the first statement, or by 'spawn' instead of 'fork'."
            )
        if not cls.used:
            _give_memory_back()
        cls.used = True


os.register_at_fork(after_in_child=_Runtime.after_fork)


class OpenResult(Protocol):
    """Something that holds native objects: a cursor."""

    def native(self) -> list[object]: ...


class Engine:
    """Snapshots and DuckDB for one connection in one process; `pid` tells whether it survived a fork."""

    def __init__(self, layout: Layout, threads: int, memory: str) -> None:
        _Runtime.use()
        self.layout, self.pid = layout, os.getpid()
        self.duckdb = duckdb.connect(":memory:")
        for setting in (
            "SET GLOBAL TimeZone = 'UTC'",
            f"SET GLOBAL threads = {threads:d}",
            # A larger sort or join goes to disk, so that memory stays the same however large the table.
            f"SET GLOBAL memory_limit = {literal(memory)}",
            "SET GLOBAL parquet_metadata_cache = true",
            # A page is sorted by its narrow columns first; the wide ones are read for the rows that stay.
            "SET GLOBAL late_materialization_max_rows = 1000",
            "SET GLOBAL enable_external_file_cache = false",
            f"SET GLOBAL temp_directory = {literal(str(layout.private / 'spill'))}",
            *(f"CREATE MACRO {macro}" for macro in MACROS),
            f"SET GLOBAL allowed_directories = [{literal(str(layout.root) + '/')}]",
            "SET GLOBAL enable_external_access = false",
            "SET GLOBAL lock_configuration = true",
        ):
            self.duckdb.execute(setting)
        self.results: weakref.WeakSet[OpenResult] = weakref.WeakSet()
        _LIVE.add(self)
        self._snapshots: dict[TableName, tuple[Snapshot, Token]] = {}
        self._templates: dict[str, str] = {}

    def close(self) -> None:
        if self.pid == os.getpid():
            self.duckdb.close()

    def native(self) -> list[object]:
        """Every object below this engine that owns native threads or memory."""
        return [self.duckdb, *(thing for result in list(self.results) for thing in result.native())]

    def snapshot(self, name: TableName, version: int | None = None) -> Snapshot:
        """The table's newest state (two `stat` calls when nothing changed), or the given version."""
        path = self.layout.table(name)
        if version is not None:
            self.layout.need_table(name)
            return snapshot.load(name, path, version)
        known = self._snapshots.get(name)
        try:
            token = snapshot.state_token(path, known[0].version if known else -1)
        except OSError as error:
            self._snapshots.pop(name, None)
            raise self.layout.unknown_table(name) from error
        if known and token is not None and token == known[1]:
            return known[0]
        return self._refresh(name, path, known)

    def _refresh(self, name: TableName, path: Path, known: tuple[Snapshot, Token] | None) -> Snapshot:
        born = snapshot.identity(path)
        changed = os.stat(path / "_delta_log").st_mtime_ns
        if known and known[1][:2] == born:
            try:
                known[0].delta.update_incremental()
                fresh = snapshot.read_state(name, path, known[0].delta)
            except DeltaError:
                fresh = snapshot.load(name, path)
        else:
            self.layout.need_alone(name)
            fresh = snapshot.load(name, path)
        self._snapshots[name] = fresh, (*born, changed)
        return fresh

    def forget(self, name: TableName) -> None:
        self._snapshots.pop(name, None)

    def template(self, columns: Iterable[Column], partitioned_by: tuple[str, ...]) -> str:
        """The path of an empty Parquet file with these columns, made when it is not there."""
        shape = json.dumps([[c.name, c.type] for c in columns] + [list(partitioned_by)])
        if shape not in self._templates:
            digest = hashlib.sha256(shape.encode()).hexdigest()[:24]
            hive = "/".join(f"{name}={_PARTITION_NULL}" for name in partitioned_by)
            path = self.layout.private / "templates" / digest / hive / "empty.parquet"
            if not path.exists():
                self._write_template(path, [c for c in columns if c.name not in partitioned_by])
            self._templates[shape] = str(path)
        return self._templates[shape]

    def _write_template(self, path: Path, columns: list[Column]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Named for this writer alone: other threads of the process may be writing the same template.
        draft = path.with_suffix(f".{uuid4().hex}.tmp")
        empty = ", ".join(f"CAST(NULL AS {to_duckdb(c.type)}) AS {quoted(c.name)}" for c in columns)
        self.duckdb.execute(f"COPY (SELECT {empty} LIMIT 0) TO {literal(str(draft))} (FORMAT parquet)")
        os.replace(draft, path)

    def relation(
        self, found: Snapshot, parameter: str, files: list[str], *, row_ids: bool = False
    ) -> tuple[str, list[str]]:
        """A subquery over some files of a snapshot, and the value of its parameter."""
        template = self.template(found.columns, found.partitioned_by)
        return found.relation(parameter, row_ids=row_ids), [template, *files]


def compared(use: TableUse, values: Mapping[str, Any]) -> dict[str, set[str]]:
    """For each column that the query compares with texts alone, in lower case, the texts that it may be."""
    found: dict[str, set[str]] = {}
    for column, sources in use.equal:
        given = [values.get(what) if where == "parameter" else what for where, what in sources]
        texts = [text for text in given if isinstance(text, str)]
        if len(texts) == len(given):
            found.setdefault(column, set()).update(texts)
    return found


def pruned(found: Snapshot, use: TableUse, values: Mapping[str, Any]) -> list[str]:
    """The files of the snapshot that the query's comparisons leave."""
    by_name = {name.lower(): name for name in found.partitioned_by if found.column(name).type == "string"}
    wanted = {
        by_name[column]: {snapshot.partition_text(text) for text in texts}
        for column, texts in (compared(use, values) if by_name else {}).items()
        if column in by_name
    }
    return found.files_where(wanted) if wanted else found.files


def count(duck: duckdb.DuckDBPyConnection, text: str, values: Mapping[str, Any] | None = None) -> int:
    """The one number that a query gives; its result is read to the end, as DuckDB wants before the next statement."""
    found = duck.execute(text, dict(values)) if values else duck.execute(text)
    return int(found.fetchall()[0][0])


def wrapped(error: BaseException) -> errors.DatabaseError:
    return error if isinstance(error, errors.DatabaseError) else errors.from_engine(error)
