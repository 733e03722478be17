"""MERGE INTO: every clause, one commit."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlglot import exp

from . import changes, errors
from .cursor import Cursor
from .dml import assignments, default
from .engine import count
from .locks import retrying
from .names import quoted
from .session import Session
from .snapshot import FILE_COLUMN, ROW_COLUMN, Snapshot, partition_text
from .translate import READY, Parsed, shorten_columns, table_parts

SOURCE = "__source"
_MOST_PARTITIONS = 1000
_AMBIGUOUS = (
    "[DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE] Several source rows match one row of {}; "
    "make the source's keys unique first."
)


class _Clauses:
    """A MERGE's parts with the aliases of its two sides."""

    def __init__(self, tree: exp.Merge) -> None:
        tree = tree.copy()
        self.table, self.alias = changes.target_table(tree.this)
        using = tree.args["using"]
        self.source_alias = using.alias or (table_parts(using)[-1] if isinstance(using, exp.Table) else "")
        if not self.source_alias:
            raise errors.ProgrammingError("Found a MERGE source without a name; write USING (…) AS s.")
        if isinstance(using, exp.Table):
            shorten_columns(tree, table_parts(using), self.source_alias)
        shorten_columns(tree, table_parts(self.table), self.alias)
        self.on: exp.Expr = tree.args["on"]
        whens = list(tree.args["whens"].expressions)
        self.matched = [w for w in whens if w.args.get("matched")]
        self.missing = [w for w in whens if not w.args.get("matched") and not w.args.get("source")]
        self.orphaned = [w for w in whens if not w.args.get("matched") and w.args.get("source")]
        self.source = exp.Select(expressions=[exp.Star()]).from_(using.copy())
        if tree.args.get("with_"):
            self.source.set("with_", tree.args["with_"].copy())

    def source_table(self) -> exp.Table:
        table = exp.Table(
            this=exp.to_identifier(SOURCE), alias=exp.TableAlias(this=exp.to_identifier(self.source_alias, quoted=True))
        )
        table.meta[READY] = True
        return table


def merge(session: Session, cursor: Cursor, parsed: Parsed, values: list[Any]) -> None:
    tree = parsed.tree
    assert isinstance(tree, exp.Merge)  # noqa: S101
    name = session.table(tree.this)

    def statement() -> int:
        with session.writing(name) as target:
            return _merge(session, cursor, parsed, target, values)

    cursor.changed(retrying(statement))


def _merge(session: Session, cursor: Cursor, parsed: Parsed, target: Snapshot, values: list[Any]) -> int:
    assert isinstance(parsed.tree, exp.Merge)  # noqa: S101
    clauses = _Clauses(parsed.tree)
    source = session.query(("merge source", parsed.text), lambda: clauses.source)
    text, parameters = session.filled(source, values, cursor.duckdb, target=target)
    cursor.duckdb.execute(f"CREATE OR REPLACE TEMP TABLE {SOURCE} AS {text}", parameters)
    columns = cursor.duckdb.sql(f"FROM {SOURCE}").columns
    files = None if clauses.orphaned else _matching_files(cursor, clauses, target)
    key = ("merge", parsed.text, target.shape, *columns)
    query = session.query(key, partial(_changed_rows, clauses, target, columns))
    text, parameters = session.filled(query, values, cursor.duckdb, target=target, files=files)
    count = changes.collect(cursor.duckdb, text, parameters)
    count -= _deduplicated(cursor, clauses, target) if clauses.matched else 0
    if count:
        changes.apply(session, cursor.duckdb, target, "MERGE")
    return count


def _changed_rows(clauses: _Clauses, target: Snapshot, columns: list[str]) -> exp.Expr:
    """All changes as one query: matched rows, rows to insert, rows that the source lacks."""
    parts: list[exp.Expr] = []
    if clauses.matched:
        parts.append(_matched_rows(clauses, target, columns))
    if clauses.missing:
        parts.append(_rows_to_insert(clauses, target, columns))
    if clauses.orphaned:
        parts.append(_orphaned_rows(clauses, target, columns))
    if not parts:
        raise errors.ProgrammingError("Found a MERGE without a WHEN clause; say what to do with the rows.")
    query = parts[0]
    for part in parts[1:]:
        query = exp.Union(this=query, expression=part, distinct=False)
    return query


def _matched_rows(clauses: _Clauses, target: Snapshot, columns: list[str]) -> exp.Select:
    ids = changes.row_ids(clauses.alias, _action(clauses.matched))
    query = exp.Select(expressions=[*ids, *_values(clauses.matched, clauses, target, columns)])
    query = query.from_(clauses.table.copy())
    query.append("joins", exp.Join(this=clauses.source_table(), kind="CROSS"))
    return _restricted(query, clauses.on.copy(), clauses.matched)


def _orphaned_rows(clauses: _Clauses, target: Snapshot, columns: list[str]) -> exp.Select:
    ids = changes.row_ids(clauses.alias, _action(clauses.orphaned))
    query = exp.Select(expressions=[*ids, *_values(clauses.orphaned, clauses, target, columns)])
    absent = exp.Not(this=exp.Exists(this=_one(clauses.source_table(), clauses.on)))
    return _restricted(query.from_(clauses.table.copy()), absent, clauses.orphaned)


def _rows_to_insert(clauses: _Clauses, target: Snapshot, columns: list[str]) -> exp.Select:
    ids = changes.row_ids(None, exp.Literal.string(changes.INSERT))
    branches = [(_condition(w), _inserted(w, clauses, target, columns)) for w in clauses.missing]
    picked = [
        changes.stored(_case([(when, given.get(c.name, default(c))) for when, given in branches], exp.null()), c)
        for c in target.columns
    ]
    query = exp.Select(expressions=[*ids, *picked]).from_(clauses.source_table())
    absent = exp.Not(this=exp.Exists(this=_one(clauses.table.copy(), clauses.on)))
    return _restricted(query, absent, clauses.missing)


def _one(table: exp.Table, on: exp.Expr) -> exp.Select:
    return exp.Select(expressions=[exp.Literal.number(1)]).from_(table).where(on.copy(), copy=False)


def _condition(when: exp.When) -> exp.Expr | None:
    condition = when.args.get("condition")
    return condition.copy() if condition is not None else None


def _restricted(query: exp.Select, on: exp.Expr, whens: list[exp.When]) -> exp.Select:
    query = query.where(on, copy=False)
    conditions = [_condition(w) for w in whens]
    if all(c is not None for c in conditions):
        query = query.where(exp.or_(*(c for c in conditions if c is not None)), copy=False)
    return query


def _case(branches: list[tuple[exp.Expr | None, exp.Expr]], otherwise: exp.Expr) -> exp.Expr:
    """The value of the first branch whose condition holds; a branch without one always holds."""
    case = exp.Case(ifs=[])
    for condition, value in branches:
        if condition is None:
            otherwise = value
            break
        case.append("ifs", exp.If(this=condition.copy(), true=value.copy()))
    if not case.args["ifs"]:
        return otherwise.copy()
    case.set("default", otherwise.copy())
    return case


def _action(whens: list[exp.When]) -> exp.Expr:
    kinds = [changes.UPDATE if isinstance(w.args["then"], exp.Update) else changes.DELETE for w in whens]
    branches: list[tuple[exp.Expr | None, exp.Expr]] = [
        (_condition(w), exp.Literal.string(kind)) for w, kind in zip(whens, kinds, strict=True)
    ]
    return _case(branches, exp.null())


def _values(whens: list[exp.When], clauses: _Clauses, target: Snapshot, columns: list[str]) -> list[exp.Expr]:
    """Every column's new value, or its old one where no clause sets it."""
    given = [(_condition(w), _updated(w, clauses, target, columns)) for w in whens]
    picked: list[exp.Expr] = []
    for column in target.columns:
        if not any(column.name in values for _, values in given):
            picked.append(changes.own(clauses.alias, column))
            continue
        old = changes.own(clauses.alias, column)
        branches = [(when, values.get(column.name, old)) for when, values in given]
        picked.append(changes.stored(_case(branches, old), column))
    return picked


def _updated(when: exp.When, clauses: _Clauses, target: Snapshot, columns: list[str]) -> dict[str, exp.Expr]:
    then = when.args["then"]
    if not isinstance(then, exp.Update):
        return {}
    if _is_star(then):
        return _from_source(clauses, target, columns)
    return assignments(then.expressions, target)


def _inserted(when: exp.When, clauses: _Clauses, target: Snapshot, columns: list[str]) -> dict[str, exp.Expr]:
    then = when.args["then"]
    if not isinstance(then, exp.Insert):
        raise errors.ProgrammingError("Found WHEN NOT MATCHED without INSERT; a missing row can only be inserted.")
    if _is_star(then):
        return _from_source(clauses, target, columns)
    names = (
        [target.column(e.name).name for e in then.this.expressions] if then.this else [c.name for c in target.columns]
    )
    values = then.expression.expressions if isinstance(then.expression, exp.Tuple) else [then.expression]
    if len(names) != len(values):
        raise errors.ProgrammingError(f"Found {len(values)} values for {len(names)} columns in a MERGE's INSERT.")
    return dict(zip(names, values, strict=True))


def _is_star(then: exp.Expr) -> bool:
    return (
        isinstance(then.this, exp.Star)
        or isinstance(then.args.get("expressions"), exp.Star)
        or [type(e) for e in then.args.get("expressions") or ()] == [exp.Star]
    )


def _from_source(clauses: _Clauses, target: Snapshot, columns: list[str]) -> dict[str, exp.Expr]:
    by_name = {name.lower(): name for name in columns}
    missing = [c.name for c in target.columns if c.name.lower() not in by_name]
    if missing:
        raise errors.ProgrammingError(
            f"Found SET * or INSERT * from a source without {', '.join(missing)}; give all columns of {target.name}."
        )
    source = exp.to_identifier(clauses.source_alias, quoted=True)
    return {
        c.name: exp.column(exp.to_identifier(by_name[c.name.lower()], quoted=True), table=source.copy())
        for c in target.columns
    }


def _deduplicated(cursor: Cursor, clauses: _Clauses, target: Snapshot) -> int:
    """Rows matched twice are an error, but for a lone unconditional DELETE, where their surplus is dropped."""
    surplus = count(
        cursor.duckdb,
        f"SELECT count(*) - count(DISTINCT ({FILE_COLUMN}, {ROW_COLUMN})) FROM {changes.CHANGES} "
        f"WHERE {FILE_COLUMN} IS NOT NULL",
    )
    if surplus and not (
        len(clauses.matched) == 1
        and clauses.matched[0].args.get("condition") is None
        and not isinstance(clauses.matched[0].args["then"], exp.Update)
    ):
        raise errors.DatabaseError(_AMBIGUOUS.format(target.name))
    if surplus:
        cursor.duckdb.execute(
            f"CREATE OR REPLACE TEMP TABLE {changes.CHANGES} AS SELECT DISTINCT ON ({FILE_COLUMN}, {ROW_COLUMN}, "
            f"CASE WHEN {FILE_COLUMN} IS NULL THEN rowid END) * FROM {changes.CHANGES}"
        )
    return surplus


def _matching_files(cursor: Cursor, clauses: _Clauses, target: Snapshot) -> list[str] | None:
    """The files that a condition `t.partition = s.column` leaves, by the values that the source has."""
    wanted: dict[str, set[str | None]] = {}
    partitions = {n.lower(): n for n in target.partitioned_by if target.column(n).type == "string"}
    for condition in clauses.on.flatten() if isinstance(clauses.on, exp.And) else [clauses.on]:
        pair = _equal_columns(condition, clauses)
        if pair and pair[0].lower() in partitions:
            found = cursor.duckdb.execute(
                f"SELECT DISTINCT CAST({quoted(pair[1])} AS VARCHAR) FROM {SOURCE} LIMIT {_MOST_PARTITIONS + 1}"
            ).fetchall()
            if len(found) <= _MOST_PARTITIONS:
                wanted[partitions[pair[0].lower()]] = {partition_text(v) for (v,) in found if v is not None}
    return target.files_where(wanted) if wanted else None


def _equal_columns(condition: exp.Expr, clauses: _Clauses) -> tuple[str, str] | None:
    condition = condition.unnest()
    if not isinstance(condition, exp.EQ):
        return None
    sides = [condition.this.unnest(), condition.expression.unnest()]
    if not all(isinstance(side, exp.Column) for side in sides):
        return None
    by_table = {side.table.lower(): side.name for side in sides}
    target, source = by_table.get(clauses.alias.lower()), by_table.get(clauses.source_alias.lower())
    return (target, source) if target and source else None
