"""INSERT, UPDATE, DELETE and TRUNCATE: each is evaluated in DuckDB under the table's lock and is one Delta commit."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from sqlglot import exp

from . import changes, errors
from .cursor import Cursor
from .dialect import refuse
from .engine import count
from .locks import retrying
from .session import Session
from .snapshot import Column, Snapshot
from .translate import Parsed, Query, parse, translate
from .writing import commit, write_files


def insert(session: Session, cursor: Cursor, parsed: Parsed, values: list[Any]) -> None:
    tree = parsed.tree
    assert isinstance(tree, exp.Insert)  # noqa: S101
    name = session.table(tree.this)

    def statement() -> int:
        with session.writing(name) as target:
            build = partial(_rows_to_insert, session, cursor, tree, target, values)
            # Building looks at the tables that are read, so it holds for these names in this lakehouse alone.
            here = (str(session.layout.root), session.catalog, session.schema)
            query = session.query(("insert", *here, parsed.text, target.shape), build)
            text, parameters = session.filled(query, values, cursor.duckdb, target=target)
            written = write_files(cursor.duckdb, target, text, parameters)
            removes = target.removal(target.files, int(time.time() * 1000)) if tree.args.get("overwrite") else []
            if written.adds or removes:
                commit(target, written.adds, removes, "INSERT")
            return written.rows

    cursor.changed(retrying(statement))


def _rows_to_insert(
    session: Session, cursor: Cursor, tree: exp.Insert, target: Snapshot, values: list[Any]
) -> exp.Expr:
    """A SELECT of every column of the table, cast to its type, from what the INSERT gives."""
    if tree.args.get("where") or tree.args.get("by_name"):
        raise refuse("INSERT … REPLACE WHERE or BY NAME", "Name the columns, or DELETE first.")
    listed = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    columns = [target.column(i.name) for i in listed] if listed else list(target.columns)
    if len({c.name for c in columns}) != len(columns):
        raise errors.ProgrammingError(f"Found a column twice in INSERT INTO {target.name}; name each once.")
    names = [f"c{i}" for i in range(len(columns))]
    source = tree.expression
    if isinstance(source, exp.Values):
        rows: exp.Expr = _cast_rows(source, columns, target)
    else:
        _check_width(session, cursor, source, len(columns), target, values)
        rows = exp.Subquery(this=source.copy())
    rows.set("alias", exp.TableAlias(this=exp.to_identifier("__rows"), columns=[exp.to_identifier(n) for n in names]))
    given = dict(zip((c.name for c in columns), names, strict=True))
    picked = [
        changes.stored(exp.column(given[c.name], table="__rows"), c)
        if c.name in given
        else changes.stored(default(c), c)
        for c in target.columns
    ]
    query = exp.Select(expressions=picked).from_(rows)
    if tree.args.get("with_"):
        query.set("with_", tree.args["with_"].copy())
    return query


def default(column: Column) -> exp.Expr:
    """The expression of a column that an INSERT leaves out."""
    if not column.default:
        return exp.null()
    found = parse(f"SELECT {column.default}").tree.expressions[0]
    assert isinstance(found, exp.Expr)  # noqa: S101
    return found.copy()


def _cast_rows(source: exp.Values, columns: list[Column], target: Snapshot) -> exp.Values:
    rows = []
    for row in source.expressions:
        cells = row.expressions if isinstance(row, exp.Tuple) else [row]
        if len(cells) != len(columns):
            raise errors.ProgrammingError(
                f"[INSERT_COLUMN_ARITY_MISMATCH] Found {len(cells)} values for {len(columns)} columns of {target.name}."
            )
        rows.append(exp.Tuple(expressions=[_cell(cell, c) for cell, c in zip(cells, columns, strict=True)]))
    return exp.Values(expressions=rows)


def _cell(cell: exp.Expr, column: Column) -> exp.Expr:
    if _is_default(cell):
        cell = default(column)
    found = changes.stored(cell, column).this
    assert isinstance(found, exp.Expr)  # noqa: S101
    return found


def _is_default(value: exp.Expr) -> bool:
    return isinstance(value, exp.Column | exp.Var) and value.sql().upper() == "DEFAULT"


def _check_width(
    session: Session, cursor: Cursor, source: exp.Expr, width: int, target: Snapshot, values: list[Any]
) -> None:
    """DuckDB drops surplus columns without a word, so they are counted first."""
    query = source.unnest() if isinstance(source, exp.Subquery) else source
    given = query.expressions if isinstance(query, exp.Select) else []
    several = (exp.Star, exp.Inline, exp.Posexplode)
    found = len(given)
    if not given or any(e.is_star or e.find(*several) for e in given):
        text, parameters = session.filled(translate(source), values, cursor.duckdb, target=target)
        found = len(cursor.duckdb.sql(text, params=parameters).columns)
    if found != width:
        raise errors.ProgrammingError(
            f"[INSERT_COLUMN_ARITY_MISMATCH] Found {found} columns for {width} columns of {target.name}."
        )


def update(session: Session, cursor: Cursor, parsed: Parsed, values: list[Any]) -> None:
    tree = parsed.tree
    assert isinstance(tree, exp.Update)  # noqa: S101
    if tree.args.get("from_"):
        raise refuse("UPDATE … FROM", "Use MERGE INTO.")
    table, alias = changes.target_table(tree.this)
    name = session.table(table)

    def statement() -> int:
        with session.writing(name) as target:
            query = session.query(
                ("update", parsed.text, target.shape), partial(_updated_rows, tree, table, alias, target)
            )
            return _apply(session, cursor, query, target, values, "UPDATE")

    cursor.changed(retrying(statement))


def _updated_rows(tree: exp.Update, table: exp.Table, alias: str, target: Snapshot) -> exp.Expr:
    assigned = assignments(tree.expressions, target)
    picked = [
        changes.stored(assigned[c.name], c) if c.name in assigned else changes.own(alias, c) for c in target.columns
    ]
    ids = changes.row_ids(alias, exp.Literal.string(changes.UPDATE))
    query = exp.Select(expressions=[*ids, *picked]).from_(table.copy())
    if tree.args.get("where"):
        query.set("where", tree.args["where"].copy())
    return query


def assignments(sets: list[exp.Expr], target: Snapshot) -> dict[str, exp.Expr]:
    """What SET gives for each column; ProgrammingError for an unknown column or one named twice."""
    found: dict[str, exp.Expr] = {}
    for equation in sets:
        if not isinstance(equation, exp.EQ) or not isinstance(equation.this, exp.Column):
            raise refuse(f"SET {equation.sql('databricks')[:80]}", "Set whole columns, column = value.")
        column = target.column(equation.this.name)
        if column.name in found:
            raise errors.ProgrammingError(f"Found column {column.name} set twice; set it once.")
        value = equation.expression
        found[column.name] = default(column) if _is_default(value) else value
    return found


def delete(session: Session, cursor: Cursor, parsed: Parsed, values: list[Any]) -> None:
    tree = parsed.tree
    assert isinstance(tree, exp.Delete)  # noqa: S101
    if tree.args.get("using"):
        raise refuse("DELETE … USING", "Use MERGE INTO.")
    where = tree.args.get("where")
    if where is None:
        empty(session, cursor, session.table(tree.this))
        return
    table, alias = changes.target_table(tree.this)
    name = session.table(table)

    def statement() -> int:
        with session.writing(name) as target:
            query = session.query(
                ("delete", parsed.text, target.shape), partial(_deleted_rows, where, table, alias, target)
            )
            return _apply(session, cursor, query, target, values, "DELETE")

    cursor.changed(retrying(statement))


def _deleted_rows(where: exp.Expr, table: exp.Table, alias: str, target: Snapshot) -> exp.Expr:
    ids = changes.row_ids(alias, exp.Literal.string(changes.DELETE))
    picked = [changes.own(alias, c) for c in target.columns]
    query = exp.Select(expressions=[*ids, *picked]).from_(table.copy())
    query.set("where", where.copy())
    return query


def _apply(session: Session, cursor: Cursor, query: Query, target: Snapshot, values: list[Any], operation: str) -> int:
    text, parameters = session.filled(query, values, cursor.duckdb, target=target)
    count = changes.collect(cursor.duckdb, text, parameters)
    if count:
        changes.apply(session, cursor.duckdb, target, operation)
    return count


def empty(session: Session, cursor: Cursor, name: Any) -> None:
    """Delete every row: the files are removed without being read where they carry their row counts."""

    def statement() -> int:
        with session.writing(name) as target:
            if not target.files:
                return 0
            text, files = session.engine.relation(target, "files", target.files)
            rows = count(cursor.duckdb, f"SELECT count(*) FROM {text}", {"files": files})
            commit(target, [], target.removal(target.files, int(time.time() * 1000)), "DELETE")
            return rows

    cursor.changed(retrying(statement))


def truncate(session: Session, cursor: Cursor, parsed: Parsed, values: list[Any]) -> None:
    empty(session, cursor, session.table(parsed.tree.expressions[0]))
