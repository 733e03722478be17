"""A sheet's `filter_condition`: parsed, judged node by node, and written again from its tree, never pasted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from workbench.near import listed, near_misses

DIALECT = "databricks"
MAX_LENGTH = 10_000

# Pure, the same every time, and unable to make much out of little (no repeat, lpad, sequence, current_date, rand).
FUNCTIONS = frozenset({
    "abs", "array_contains", "array_size", "cast", "ceil", "ceiling", "char_length", "coalesce", "concat", "contains",
    "date", "date_add", "date_sub", "datediff", "day", "dayofmonth", "endswith", "floor", "greatest", "hour", "if",
    "ifnull", "isnan", "least", "left", "length", "lower", "ltrim", "minute", "month", "nullif", "nvl", "regexp_like",
    "replace", "right", "rlike", "round", "rtrim", "second", "size", "startswith", "substr", "substring", "timestamp",
    "to_date", "to_timestamp", "trim", "try_cast", "upper", "year",
})  # fmt: skip

_PREDICATES = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.RegexpLike, exp.StartsWith, exp.EndsWith, exp.Contains,
    exp.ArrayContains, exp.IsNan, exp.Boolean,
)  # fmt: skip
_VALUES = (
    exp.Paren, exp.Literal, exp.RawString, exp.Null, exp.Column, exp.Identifier, exp.Neg, exp.Add, exp.Sub, exp.Mul,
    exp.Div, exp.Mod, exp.DPipe, exp.Escape, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Greatest,
    exp.Least, exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, exp.Abs, exp.Round, exp.Ceil, exp.Floor,
    exp.Lower, exp.Upper, exp.Length, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.Replace, exp.Concat,
    exp.ArraySize, exp.Year, exp.Month, exp.Day, exp.DayOfMonth, exp.Hour, exp.Minute, exp.Second, exp.TsOrDsToDate,
    exp.TsOrDsAdd, exp.DateAdd, exp.DateSub, exp.DateDiff, exp.Var,
)  # fmt: skip
# Exact classes: a subclass (SafeDivide of Div, say) is another function. No DIV: on decimals DuckDB does not truncate.
_ALLOWED = frozenset(_PREDICATES + _VALUES)
_KIND_NAMES = (
    "BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "TEXT", "DATE", "TIMESTAMP",
    "TIMESTAMPTZ", "TIMESTAMPNTZ",
)  # fmt: skip
_KINDS = frozenset(exp.DataType.Type[name] for name in _KIND_NAMES)
_REFUSED: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Query, "a subquery"),
    (exp.Exists, "a subquery"),
    (exp.Star, "'*'"),
    (exp.Window, "a window function"),
    (exp.Placeholder, "a placeholder"),
    (exp.Parameter, "a placeholder"),
    (exp.Alias, "a name after an expression"),
    (exp.Func, "this function"),
    (exp.Command, "a statement"),
    (exp.DDL, "a statement"),
)
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WORDS_BEFORE_PARENTHESES = frozenset(
    {"and", "or", "not", "in", "when", "then", "else", "case", "between", "like", "is", "from"}
)


class FilterProblem(ValueError):  # noqa: N818 - the name the API and the screens use
    """What is wrong with a filter: words, `line` and `column` from 1, `offset` in characters from 0."""

    def __init__(self, message: str, text: str, offset: int) -> None:
        self.message = message
        self.offset = min(max(offset, 0), len(text))
        self.line = text.count("\n", 0, self.offset) + 1
        self.column = self.offset - (text.rfind("\n", 0, self.offset) + 1) + 1
        super().__init__(f"line {self.line}, column {self.column}: {message}")


def parse_filter(text: str, columns: Mapping[str, str]) -> str:
    """The filter as Databricks SQL: one boolean expression, columns in backticks and their own case, no comments.

    `columns` maps each column of the sheet to its SQL type. Raises FilterProblem with the position of a syntax
    error, a second statement, a subquery, an unknown column, a function not in FUNCTIONS, and anything not boolean.
    """
    if len(text) > MAX_LENGTH:
        raise FilterProblem(f"The filter has {len(text):,} characters; allowed are {MAX_LENGTH:,}.", text, MAX_LENGTH)
    try:
        _check_functions(text, _tokens(text))
        tree = _rebuilt(text, _parsed(text), columns)
        if not _is_boolean(tree, columns):
            raise FilterProblem(
                "A filter is true or false for each row. Compare the value, as in price > 10.",
                text,
                _offset(text, tree),
            )
        return _written(text, tree)
    except RecursionError as error:
        raise FilterProblem("The filter is nested too deeply. Use IN (…) or fewer parentheses.", text, 0) from error


def _check_functions(text: str, tokens: list[Token]) -> None:
    for word, after in pairwise(tokens):
        name = word.text.casefold()
        if after.token_type != TokenType.L_PAREN or not word.text.isidentifier() or name in _WORDS_BEFORE_PARENTHESES:
            continue
        is_type = name in {"decimal", "numeric", "dec"}
        if name not in FUNCTIONS and not is_type and name not in {"select", "exists", "any", "all"}:
            raise FilterProblem(
                f"The function '{word.text}' is not allowed.{near_misses(word.text, FUNCTIONS)} "
                f"Allowed: {listed(FUNCTIONS, len(FUNCTIONS))}.",
                text,
                word.start,
            )


def _tokens(text: str) -> list[Token]:
    try:
        return list(sqlglot.tokenize(text, dialect=DIALECT))
    except TokenError as error:
        words = "The filter cannot be read from here: a quote or a comment is not closed, or a number is broken."
        raise FilterProblem(words, text, _unclosed(text, error)) from error


def _parsed(text: str) -> exp.Expr:
    try:
        statements = sqlglot.parse(text, dialect=DIALECT)
    except ParseError as error:
        found = error.errors[0]
        what = str(found["description"]).rstrip(".")
        what = "Something is missing here" if what.startswith("Required keyword") else what
        words = f"{what}. Write one boolean expression, as in price > 10 AND name = 'x'."
        raise FilterProblem(words, text, _place(text, found)) from error
    given = [
        statement for statement in statements if statement is not None and not isinstance(statement, exp.Semicolon)
    ]
    if not given:
        raise FilterProblem("The filter is empty. Leave it out to take every row.", text, 0)
    if len(given) > 1:
        raise FilterProblem("A second statement is not allowed. Join conditions with AND.", text, _semicolon(text))
    return given[0]


def _rebuilt(text: str, tree: exp.Expr, columns: Mapping[str, str]) -> exp.Expr:
    """The tree with its columns checked and spelt as the sheet spells them. Every node must be known to be harmless."""
    by_fold = {name.casefold(): name for name in columns}
    for node in tree.walk():
        _check_node(text, node)
        node.comments = None
        if isinstance(node, exp.Column):
            name = node.name
            if name.casefold() not in by_fold:
                words = (
                    f"The column '{name}' does not exist. The sheet has {listed(columns)}.{near_misses(name, columns)}"
                )
                raise FilterProblem(words, text, _offset(text, node))
            node.this.set("this", name if name in columns else by_fold[name.casefold()])
            node.this.set("quoted", True)
    return tree


def _check_node(text: str, node: exp.Expr) -> None:
    if isinstance(node, exp.Column) and (node.table or not isinstance(node.this, exp.Identifier)):
        words = f"'{node.sql(DIALECT)}' names a table or a field. Name columns alone, in backticks if they hold a dot."
        raise FilterProblem(words, text, _offset(text, node))
    if type(node) not in _ALLOWED:
        what = next((words for kind, words in _REFUSED if isinstance(node, kind)), "this")
        raise FilterProblem(f"{_shown(node)}: {what} is not allowed in a filter.", text, _offset(text, node))
    if isinstance(node, exp.In) and not node.expressions and not node.args.get("query"):
        raise FilterProblem("IN takes a list of values, as in kind IN ('a', 'b').", text, _offset(text, node))
    if isinstance(node, exp.Literal) and not node.is_string and not _NUMBER.fullmatch(node.this):
        raise FilterProblem(f"'{node.this}' is not a number.", text, _offset(text, node))
    if isinstance(node, exp.DataType) and node.this not in _KINDS:
        raise FilterProblem(
            f"The type {_shown(node)} is not allowed in a filter.", text, _offset(text, node.parent or node)
        )


def _is_boolean(node: exp.Expr | None, columns: Mapping[str, str]) -> bool:
    if isinstance(node, exp.And | exp.Or):
        return _is_boolean(node.left, columns) and _is_boolean(node.right, columns)
    if isinstance(node, exp.Not | exp.Paren | exp.Escape):
        return _is_boolean(node.this, columns)
    if isinstance(node, exp.Column):
        return columns.get(node.name, "").casefold() in {"boolean", "bool"}
    if isinstance(node, exp.Cast | exp.TryCast):
        return bool(node.to.this == exp.DataType.Type.BOOLEAN)
    if isinstance(node, exp.If | exp.Case | exp.Coalesce):
        return all(branch is None or _is_boolean(branch, columns) for branch in _branches(node))
    return isinstance(node, _PREDICATES)


def _branches(node: exp.Expr) -> Iterator[exp.Expr | None]:
    """What may come out of an IF, a CASE or a COALESCE; NULL fits any type."""
    if isinstance(node, exp.Coalesce):
        found = [node.this, *node.expressions]
    elif isinstance(node, exp.Case):
        found = [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
    else:
        found = [node.args["true"], node.args.get("false")]
    return (None if isinstance(branch, exp.Null) else branch for branch in found)


def _written(text: str, tree: exp.Expr) -> str:
    sql = str(tree.sql(dialect=DIALECT, identify=True, comments=False))
    # A text that reads back as something else would have been judged by another tree than the one that runs.
    if sqlglot.parse_one(sql, dialect=DIALECT).sql(dialect=DIALECT, identify=True) != sql:
        raise FilterProblem("The filter cannot be written back unambiguously. Add parentheses.", text, 0)
    return sql


def _offset(text: str, node: exp.Expr) -> int:
    """Where the node is: its own mark, else its first word in the text, else its first marked part, else its parent."""
    if "start" in node.meta:
        return int(node.meta["start"])
    word = _shown(node).lstrip("(:").split("(")[0].split(" ")[0].casefold()
    begins = [token.start for token in _tokens(text) if token.text.casefold() == word]
    begins = begins or [int(part.meta["start"]) for part in node.walk() if "start" in part.meta]
    if not begins and node.parent is not None:
        return _offset(text, node.parent)
    return min(begins, default=0)


def _place(text: str, found: Mapping[str, object]) -> int:
    """The offset of a parser's error, which names the line and the column of the token's last character."""
    line, column, token = found.get("line"), found.get("col"), found.get("highlight")
    if not isinstance(line, int) or not isinstance(column, int):
        return len(text)
    before = sum(len(part) + 1 for part in text.split("\n")[: line - 1])
    return before + column - max(len(str(token or "")), 1)


def _unclosed(text: str, error: TokenError) -> int:
    """The tokenizer says where a quote opened only in the words of its cause, as "Missing ' from LINE:OFFSET"."""
    at = str(error.__cause__).rpartition(":")[2]
    return int(at) if at.isdecimal() else len(text)


def _semicolon(text: str) -> int:
    return next((token.start for token in _tokens(text) if token.token_type == TokenType.SEMICOLON), 0)


def _shown(node: exp.Expr) -> str:
    sql = str(node.sql(dialect=DIALECT, comments=False))
    return sql if len(sql) <= 60 else sql[:57] + "…"
