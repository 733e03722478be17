"""Rows that change: collected in one temporary table, then applied by rewriting the touched files in one commit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import duckdb
from sqlglot import exp

from .datatypes import VOID, to_sql
from .engine import count
from .names import quoted
from .session import Session
from .snapshot import FILE_COLUMN, ROW_COLUMN, Column, Snapshot
from .translate import TARGET, table_parts
from .writing import commit, row_bytes, write_files

CHANGES = "__changes"
ACTION = "__action"
UPDATE, DELETE, INSERT = "U", "D", "I"


def target_table(node: exp.Expr) -> tuple[exp.Table, str]:
    """A copy of a statement's table, marked to be read with row ids, and the alias its columns have."""
    table = node.copy()
    assert isinstance(table, exp.Table)  # noqa: S101
    alias = table.alias or table_parts(table)[-1]
    table.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    table.meta[TARGET] = True
    return table, alias


def stored(value: exp.Expr, column: Column) -> exp.Expr:
    """The value cast to the column's type, under the column's name."""
    kind = exp.DataType.build("STRING" if column.type == VOID else to_sql(column.type), dialect="databricks")
    return exp.alias_(exp.Cast(this=value.copy(), to=kind), column.name, quoted=True)


def own(alias: str, column: Column) -> exp.Expr:
    """The column as it is."""
    return exp.column(exp.to_identifier(column.name, quoted=True), table=exp.to_identifier(alias, quoted=True))


def row_ids(alias: str | None, action: exp.Expr) -> list[exp.Expr]:
    """The first columns of a change: file, row number, action. Without an alias the row is new."""
    if alias is None:
        place = [exp.cast(exp.null(), "STRING", dialect="databricks"), exp.cast(exp.null(), "DOUBLE")]
        ids = [exp.alias_(place[0], FILE_COLUMN), exp.alias_(place[1], ROW_COLUMN)]
    else:
        ids = [exp.column(name, table=exp.to_identifier(alias, quoted=True)) for name in (FILE_COLUMN, ROW_COLUMN)]
    return [*ids, exp.alias_(action, ACTION)]


def collect(duck: duckdb.DuckDBPyConnection, text: str, values: Mapping[str, Any]) -> int:
    """Put the changes of a query aside; returns their number."""
    create = f"CREATE OR REPLACE TEMP TABLE {CHANGES} AS {text}"
    if values:
        duck.execute(create, dict(values))
    else:
        duck.execute(create)
    return count(duck, f"SELECT count(*) FROM {CHANGES}")


def apply(session: Session, duck: duckdb.DuckDBPyConnection, target: Snapshot, operation: str) -> None:
    """Commit the changes put aside: touched files are written anew, new rows with them."""
    touched = [
        path
        for (path,) in duck.execute(
            f"SELECT DISTINCT {FILE_COLUMN} FROM {CHANGES} WHERE {FILE_COLUMN} IS NOT NULL"
        ).fetchall()
    ]
    added = f"SELECT {_names(target)} FROM {CHANGES} WHERE {ACTION} = '{INSERT}'"
    if not touched:
        written = write_files(duck, target, added, {})
        commit(target, written.adds, [], operation, strict=True)
        return
    relation, files = session.engine.relation(target, "touched", touched, row_ids=True)
    merged = ", ".join(
        f"CASE WHEN c.{ACTION} IS NULL THEN t.{q} ELSE c.{q} END AS {q}"
        for q in (quoted(c.name) for c in target.columns)
    )
    kept = (
        f"SELECT {merged} FROM {relation} AS t LEFT JOIN {CHANGES} AS c "
        f"ON t.{FILE_COLUMN} = c.{FILE_COLUMN} AND t.{ROW_COLUMN} = c.{ROW_COLUMN} "
        f"WHERE c.{ACTION} IS DISTINCT FROM '{DELETE}'"
    )
    width = row_bytes(target, touched)
    written = write_files(duck, target, f"{kept} UNION ALL {added}", {"touched": files}, row_bytes=width)
    commit(target, written.adds, target.removal(touched, int(time.time() * 1000)), operation)


def _names(target: Snapshot) -> str:
    return ", ".join(quoted(c.name) for c in target.columns)
