"""Which code runs which statement."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from . import ddl, dml, errors, merge
from .cursor import Cursor
from .dialect import refuse
from .session import Session
from .translate import Parsed, Query, first_equals, merged

Run = Callable[[Session, Cursor, Parsed, list[Any]], None]
EXPLAIN = re.compile(r"\s*EXPLAIN\s+(?:(?:EXTENDED|FORMATTED|COST)\s+)?", re.IGNORECASE)


def select(session: Session, cursor: Cursor, parsed: Parsed, values: list[Any]) -> None:
    cursor.show_query(*session.filled(_query(session, parsed, values), values, cursor.duckdb))


def _query(session: Session, parsed: Parsed, values: list[Any]) -> Query:
    if not parsed.compared:
        return session.query(("select", parsed.text), lambda: parsed.tree)
    names = first_equals(values)
    return session.query(("select", parsed.text, *names), lambda: merged(parsed.tree, names))


def explain(session: Session, cursor: Cursor, parsed: Parsed, values: list[Any]) -> None:
    """EXPLAIN: one row with the plan of a query, as DuckDB draws it; NotSupportedError for a statement that writes."""
    if _RUN.get(type(parsed.tree)) is not select:
        raise refuse("EXPLAIN of a statement that writes", "Explain the query in it.")
    text, parameters = session.filled(_query(session, parsed, values), values, cursor.duckdb)
    plans = cursor.duckdb.execute(f"EXPLAIN {text}", parameters).fetchall()
    cursor.show_rows(["plan"], [("\n".join(plan for _, plan in plans),)])


_RUN: dict[type[exp.Expr], Run] = {
    exp.Select: select,
    exp.Union: select,
    exp.Intersect: select,
    exp.Except: select,
    exp.Subquery: select,
    exp.Values: select,
    exp.Insert: dml.insert,
    exp.Update: dml.update,
    exp.Delete: dml.delete,
    exp.TruncateTable: dml.truncate,
    exp.Merge: merge.merge,
    exp.Create: ddl.create,
    exp.Drop: ddl.drop,
}


def run(session: Session, cursor: Cursor, parsed: Parsed, values: list[Any]) -> None:
    """Execute a parsed statement; NotSupportedError for a kind that is not in the table above."""
    kind = type(parsed.tree)
    if kind not in _RUN and not isinstance(parsed.tree, exp.Command | exp.Copy | exp.Set | exp.DDL | exp.DML):
        raise errors.ProgrammingError(f"[PARSE_SYNTAX_ERROR] Found {parsed.text[:120]!r}, which is no statement.")
    if kind not in _RUN:
        raise refuse(f"a {kind.__name__.upper()} statement", f"Known: {', '.join(k.__name__.upper() for k in _RUN)}.")
    _RUN[kind](session, cursor, parsed, values)
