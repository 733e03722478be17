"""Databricks SQL to DuckDB: parse once per statement text, generate once per tree, fill in the tables per snapshot."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.dialects.databricks import Databricks
from sqlglot.errors import SqlglotError

from . import errors
from .dialect import check_functions, generate, refuse
from .names import quoted

Value = tuple[str, Any]
"""Where a compared value comes from: ("parameter", "p3") or ("literal", "x")."""


@dataclass(frozen=True, slots=True)
class TableUse:
    """A table that a query reads. `token` stands for it in the text; `equal` are comparisons that can prune files."""

    token: str
    parts: tuple[str, ...]
    version: int | None
    equal: tuple[tuple[str, tuple[Value, ...]], ...]
    row_ids: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """DuckDB's text with tokens for its tables, the tables, and the names of the parameters in it."""

    text: str
    tables: tuple[TableUse, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """One statement: its tree (never change it, copy it) and its number of `?` markers.

    `compared` tells that the expressions of one clause must be found again in another, as with GROUP BY.
    """

    tree: exp.Expr
    markers: int
    text: str
    compared: bool


@lru_cache(maxsize=2000)
def parse(text: str) -> Parsed:
    """The one statement in the text; ProgrammingError for a syntax error or a second statement."""
    try:
        named, markers = _name_markers(text)
        found = [
            tree for tree in sqlglot.parse(named, read="databricks") if tree and not isinstance(tree, exp.Semicolon)
        ]
    except (SqlglotError, RecursionError) as error:
        raise errors.ProgrammingError(f"[PARSE_SYNTAX_ERROR] {_plain(error)} Statement: {text[:200]}") from error
    if len(found) != 1:
        raise errors.ProgrammingError(f"Found {len(found)} statements; one statement per execute. Run them one by one.")
    compared = markers > 1 and found[0].find(exp.Group, exp.Distinct) is not None
    return Parsed(found[0], markers, text, compared)


def first_equals(values: Sequence[Any]) -> list[str]:
    """For each marker, the name of the first one with an equal value of the same type."""
    first: dict[tuple[type, str], str] = {}
    return [first.setdefault((type(value), repr(value)), f"p{i}") for i, value in enumerate(values)]


def merged(tree: exp.Expr, names: Sequence[str]) -> exp.Expr:
    """A copy of the tree with its markers renamed. Spark fills values in before it compares expressions; DuckDB does not."""
    tree = tree.copy()
    for marker in tree.find_all(exp.Placeholder):
        marker.set("this", names[int(marker.name[1:])])
    return tree


def _plain(error: BaseException) -> str:
    return re.sub(r"\x1b\[\d*m", "", str(error)).strip()


def _name_markers(text: str) -> tuple[str, int]:
    """The text with `?` turned into `:p0`, `:p1`… in reading order, which a tree does not keep."""
    pieces, last, count = [], 0, 0
    tokens = Databricks().tokenize(text)
    _refuse_text_type(tokens)
    _refuse_double_quotes(tokens)
    for token in tokens:
        if token.token_type == TokenType.PLACEHOLDER:
            pieces += [text[last : token.start], f":p{count}"]
            last, count = token.end + 1, count + 1
    return "".join([*pieces, text[last:]]), count


_COLUMN_NAMES = (TokenType.VAR, TokenType.IDENTIFIER, TokenType.TEXT)
TARGET, READY = "target", "ready"
"""Marks in a table's meta: read it with its row ids; it is a DuckDB table already."""


def _refuse_text_type(tokens: list[Token]) -> None:
    """Databricks has no type TEXT, which the parser takes for STRING; a column may still be called text."""
    if not tokens or tokens[0].token_type != TokenType.CREATE:
        return
    for before, token in itertools.pairwise(tokens):
        if token.token_type == TokenType.TEXT and token.text.upper() == "TEXT" and before.token_type in _COLUMN_NAMES:
            raise refuse("the type TEXT", "Use STRING.")


def _refuse_double_quotes(tokens: list[Token]) -> None:
    """`'it''s'` is one text to Spark 4 and two joined ones to Spark 3, so it means nothing for sure."""
    for before, token in itertools.pairwise(tokens):
        if before.token_type == token.token_type == TokenType.STRING and before.end + 1 == token.start:
            raise refuse(
                f"'{before.text}''{token.text}', which Spark versions read differently", "Write \\' for a quote."
            )


def translate(tree: exp.Expr) -> Query:
    """The DuckDB query for a SELECT; tables marked TARGET are read with their row ids. The tree is not changed."""
    tree = tree.copy()
    check_functions(tree)
    tables = tuple(_replace_tables(tree))
    parameters = tuple(sorted(_mark_paths(tree)))
    _rewrite_laterals(tree)
    _rewrite_generators(tree)
    return Query(generate(tree), tables, parameters)


def _mark_paths(tree: exp.Expr) -> set[str]:
    """The names of the tree's parameters; a JSON path is marked and named so, as it is bound differently."""
    for call in tree.find_all(exp.JSONExtractScalar):
        if isinstance(call.expression, exp.Placeholder):
            call.expression.set("json_path", True)
    return {p.name + ("_path" if p.args.get("json_path") else "") for p in tree.find_all(exp.Placeholder)}


def table_parts(table: exp.Table) -> tuple[str, ...]:
    """The one to three parts of a table's name; NotSupportedError where it is no name but a function or a path."""
    parts = table.parts
    if not all(isinstance(part, exp.Identifier) for part in parts):
        raise refuse(f"the source {table.sql('databricks')[:80]}", "A query reads tables, by name.")
    return tuple(part.name for part in parts)


def _replace_tables(tree: exp.Expr) -> Iterator[TableUse]:
    for number, table in enumerate([t for t in tree.find_all(exp.Table) if not _is_cte(t)]):
        if table.meta.get(READY):
            continue
        if isinstance(table.this, exp.Anonymous | exp.Func):
            raise refuse(f"the table function {table.sql('databricks')[:80]}")
        parts = table_parts(table)
        if table.args.get("sample"):
            raise refuse("TABLESAMPLE", "Sort by a hash of the key and take the first rows.")
        alias = table.alias or parts[-1]
        version = table.args.pop("version", None)
        equal = tuple(_comparisons(table, alias))
        shorten_columns(table.find_ancestor(exp.Select), parts, alias)
        token = f"__table_{secrets.token_hex(8)}_{number}__"
        table.set("this", exp.to_identifier(token, quoted=False))
        table.set("db", None)
        table.set("catalog", None)
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
        yield TableUse(token, parts, _version(version), equal, row_ids=bool(table.meta.get(TARGET)))


def _version(node: exp.Expr | None) -> int | None:
    if node is None:
        return None
    if node.name.upper() != "VERSION" or not isinstance(node.expression, exp.Literal):
        raise refuse("TIMESTAMP AS OF", "Use VERSION AS OF with a number from DESCRIBE HISTORY.")
    return int(node.expression.name)


def _is_cte(table: exp.Table) -> bool:
    if table.args.get("db") or not isinstance(table.this, exp.Identifier):
        return False
    node: exp.Expr | None = table
    inside: exp.Expr | None = None
    while node is not None:
        clause = node.args.get("with_")
        ctes = clause.expressions if clause else []
        if inside in ctes:
            # A common table expression sees those before it, and under its own name the table.
            ctes = ctes[: ctes.index(inside)]
        if any(cte.alias.lower() == table.name.lower() for cte in ctes):
            return True
        inside = node if isinstance(node, exp.CTE) else inside
        node = node.parent
    return False


def shorten_columns(scope: exp.Expr | None, parts: tuple[str, ...], alias: str) -> None:
    """`catalog.schema.table.column` becomes `alias.column`: the query knows the table by its alias only."""
    if scope is None or len(parts) == 1:
        return
    names = [part.lower() for part in parts]
    for column in scope.find_all(exp.Column):
        qualifier = [p.name.lower() for p in column.parts[:-1]]
        if len(qualifier) > 1 and qualifier == names[-len(qualifier) :]:
            column.set("table", exp.to_identifier(alias, quoted=True))
            column.set("db", None)
            column.set("catalog", None)


def _comparisons(table: exp.Table, alias: str) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Top-level `alias.column = value` and `alias.column IN (values)` of the query that reads the table."""
    scope = table.find_ancestor(exp.Select)
    if scope is None:
        return
    where = scope.args.get("where")
    if where is None or table.find_ancestor(exp.Subquery, exp.Select) is not scope or _outer_joined(scope, table):
        return
    single = not scope.args.get("joins") and not scope.args.get("laterals")
    # Django puts several conditions in parentheses.
    given = where.this.unnest()
    for condition in given.flatten() if isinstance(given, exp.And) else [given]:
        condition = condition.unnest()
        column, values = _sides(condition)
        if column is None or not (column.table.lower() == alias.lower() if column.table else single):
            continue
        found = [_value(value) for value in values]
        if found and all(found):
            yield column.name.lower(), tuple(value for value in found if value)


def _outer_joined(scope: exp.Expr, table: exp.Table) -> bool:
    """A WHERE on the nullable side of a join still prunes rightly only for equality, but keep away from it."""
    return any(join.side and join.this is table for join in scope.args.get("joins") or ())


def _sides(condition: exp.Expr) -> tuple[exp.Column | None, list[exp.Expr]]:
    if isinstance(condition, exp.EQ):
        left, right = condition.this.unnest(), condition.expression.unnest()
        if isinstance(left, exp.Column):
            return left, [right]
        if isinstance(right, exp.Column):
            return right, [left]
    if isinstance(condition, exp.In) and not condition.args.get("query") and not condition.args.get("unnest"):
        this = condition.this.unnest()
        if isinstance(this, exp.Column):
            return this, condition.expressions
    return None, []


def _value(node: exp.Expr) -> Value | None:
    if isinstance(node, exp.Placeholder):
        return "parameter", node.name
    if isinstance(node, exp.Literal) and node.is_string:
        return "literal", node.name
    return None


def _rewrite_laterals(tree: exp.Expr) -> None:
    """LATERAL VIEW becomes a lateral join; OUTER keeps rows whose array is empty."""
    for select in list(tree.find_all(exp.Select)):
        laterals = select.args.get("laterals") or []
        for lateral in laterals:
            select.append("joins", _lateral_join(lateral))
        select.set("laterals", None)


def _lateral_join(lateral: exp.Lateral) -> exp.Join:
    call, alias = lateral.this, lateral.args.get("alias")
    names = [column.name for column in alias.args.get("columns") or ()] if alias else []
    outer = bool(lateral.args.get("outer"))
    value = call.this if not isinstance(call, exp.Anonymous) else None
    if isinstance(call, exp.Posexplode):
        names = names or ["pos", "col"]
        columns = [_raw(f"generate_subscripts({_sql(value)}, 1) - 1"), _raw(f"unnest({_sql(value)})")]
    elif isinstance(call, exp.Inline):
        columns = [_raw(f"unnest({_sql(value)}, max_depth := 2)")]
    elif isinstance(call, exp.Explode):
        entries = len(names) == 2
        names = names or ["col"]
        columns = [_raw(f"unnest(map_entries({_sql(value)}), max_depth := 2)" if entries else f"unnest({_sql(value)})")]
    else:
        raise refuse(f"LATERAL VIEW {call.sql('databricks')[:60]}", "Known: explode, posexplode, inline.")
    query = exp.Select(expressions=columns)
    name = exp.TableAlias(
        this=exp.to_identifier(alias.name if alias and alias.name else "__lateral", quoted=True),
        columns=[exp.to_identifier(n, quoted=True) for n in names],
    )
    source = exp.Lateral(this=exp.Subquery(this=query), alias=name)
    if outer:
        return exp.Join(this=source, side="LEFT", on=exp.true())
    return exp.Join(this=source, kind="CROSS")


def _sql(node: exp.Expr | None) -> str:
    assert node is not None  # noqa: S101
    return generate(node.copy())


def _raw(text: str) -> exp.Expr:
    """Text that is DuckDB's already."""
    return exp.Var(this=text)


def _rewrite_generators(tree: exp.Expr) -> None:
    """`SELECT posexplode(x)` gives two columns, so it cannot stay one expression."""
    for call in list(tree.find_all(exp.Posexplode)):
        holder = call.parent if isinstance(call.parent, exp.Aliases) else call
        names = [e.name for e in call.parent.expressions] if isinstance(call.parent, exp.Aliases) else ["pos", "col"]
        value = _sql(call.this)
        text = f"generate_subscripts({value}, 1) - 1 AS {quoted(names[0])}, unnest({value}) AS {quoted(names[1])}"
        holder.replace(_raw(text))
    for explode in list(tree.find_all(exp.Explode)):
        if type(explode) is exp.Explode and isinstance(explode.parent, exp.Select):
            explode.replace(exp.alias_(_raw(_sql(explode)), "col", quoted=True))
