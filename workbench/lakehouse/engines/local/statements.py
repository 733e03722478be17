"""Which code runs which statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from . import ddl, dml, errors, merge
from .cursor import Cursor
from .dialect import refuse
from .session import Session
from .translate import Parsed

Run = Callable[[Session, Cursor, Parsed, list[Any]], None]


def select(session: Session, cursor: Cursor, parsed: Parsed, values: list[Any]) -> None:
    query = session.query(("select", parsed.text), lambda: parsed.tree)
    cursor.show_query(*session.filled(query, values, cursor.duckdb))


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
