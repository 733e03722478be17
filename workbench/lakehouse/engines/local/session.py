"""What every statement needs: this process's engine, full names, locks, and queries with their tables filled in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
from sqlglot import exp

from . import errors, information_schema, locks, volumes
from .engine import Engine, compared, pruned
from .layout import INFORMATION_SCHEMA, Layout, table_name
from .metadata import Metadata
from .names import TableName
from .parameters import bound
from .protocol import check_writable
from .snapshot import TIDY_BYTES, Snapshot
from .translate import Query, TableUse, table_parts, translate

_REMEMBERED = 2000
# Translating takes longer than most statements, and says nothing about a connection: all of a process share it.
_QUERIES: dict[tuple[str, ...], Query] = {}


class Session:
    """The state of one connection.

    A child forked before the first statement gets its own DuckDB and Delta state; one forked later gets a clear
    OperationalError, because delta-rs refuses to work in it.
    """

    def __init__(
        self, layout: Layout, catalog: str, schema: str, lock_timeout: float, threads: int, memory: str
    ) -> None:
        self.layout, self.lock_timeout, self.threads, self.memory = layout, lock_timeout, threads, memory
        self.catalog, self.schema = catalog.lower(), schema.lower()
        self.metadata = Metadata(layout, lock_timeout)
        self._closed = False
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """This process's engine, made on first use."""
        self.check_open()
        if self._engine is None or self._engine.pid != os.getpid():
            self._engine = Engine(self.layout, self.threads, self.memory)
        return self._engine

    @property
    def current_engine(self) -> Engine | None:
        """The engine of this process, if there is one already."""
        return self._engine if self._engine is not None and self._engine.pid == os.getpid() else None

    def check_open(self) -> None:
        if self._closed:
            raise errors.InterfaceError("The connection is closed; open another one.")

    def close(self) -> None:
        """Give up the engine; a closed connection cannot be used again."""
        if self._engine is not None:
            self._engine.close()
        self._engine, self._closed = None, True

    def name(self, table: tuple[str, ...] | str) -> TableName:
        """The full name for one to three parts, or for a dotted text."""
        parts = tuple(part.strip("`") for part in table.split(".")) if isinstance(table, str) else tuple(table)
        return table_name(parts, self.catalog, self.schema)

    def table(self, node: exp.Expr) -> TableName:
        """The full name that a parsed table stands for."""
        found = node.find(exp.Table)
        if found is None:
            raise errors.ProgrammingError(f"Found {node.sql('databricks')[:80]} where a table's name belongs.")
        return self.name(table_parts(found))

    @contextmanager
    def writing(self, name: TableName) -> Iterator[Snapshot]:
        """The newest snapshot of a table, under its lock. OperationalError when the lock does not come."""
        self.layout.need_table(name)
        with locks.exclusive(self.layout, str(name), self.lock_timeout):
            found = self.engine.snapshot(name)
            check_writable(found)
            if found.crowded:
                # Every statement opens every file, so a table that is written row by row would grow slower and slower.
                # Whoever writes did not ask for it, so it takes little memory: one file at a time, and none too large.
                found.delta.optimize.compact(max_concurrent_tasks=1, target_size=TIDY_BYTES)
                found = self.engine.snapshot(name)
            yield found

    def query(self, key: tuple[str, ...], build: Callable[[], exp.Expr]) -> Query:
        """The translation of the tree that `build` makes, remembered under a key such as a statement's text."""
        found = _QUERIES.get(key)
        if found is None:
            if len(_QUERIES) >= _REMEMBERED:
                _QUERIES.clear()
            found = _QUERIES[key] = translate(build())
        return found

    def filled(
        self,
        query: Query,
        values: Sequence[Any],
        duck: duckdb.DuckDBPyConnection,
        *,
        target: Snapshot | None = None,
        files: list[str] | None = None,
    ) -> tuple[str, dict[str, Any]]:
        """The text with every table filled in, and its parameters.

        While a table is written, `target` is its snapshot and `files` the only files of it that can matter.
        """
        text, parameters = query.text, bound(query.parameters, values)
        by_name = {f"p{i}": value for i, value in enumerate(values)}
        for number, use in enumerate(query.tables):
            if len(use.parts) > 1 and use.parts[-2].lower() == INFORMATION_SCHEMA:
                catalog = use.parts[-3] if len(use.parts) == 3 else self.catalog
                scope = information_schema.Scope(self.engine, self.metadata, catalog, compared(use, by_name))
                relation = information_schema.register(scope, duck, use.parts[-1], number)
            elif file := volumes.parquet_file(self.layout, use.parts):
                relation, parameters[f"files{number}"] = f"read_parquet($files{number})", [str(file)]
            else:
                relation, paths = self._relation(use, f"files{number}", by_name, target, files)
                parameters[f"files{number}"] = paths
            text = text.replace(use.token, relation)
        return text, parameters

    def _relation(
        self, use: TableUse, parameter: str, values: Mapping[str, Any], target: Snapshot | None, files: list[str] | None
    ) -> tuple[str, list[str]]:
        name = self.name(use.parts)
        is_target = target is not None and use.version is None and name == target.name
        found = target if is_target and target is not None else self.engine.snapshot(name, use.version)
        paths = pruned(found, use, values)
        if use.row_ids and files is not None:
            allowed = set(files)
            paths = [path for path in paths if path in allowed]
        return self.engine.relation(found, parameter, paths, row_ids=use.row_ids)
