"""The generator: a parsed Databricks statement, whose tables are placeholders already, to DuckDB's text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, UnsupportedError
from sqlglot.generators.duckdb import DuckDBGenerator

from . import errors
from .functions import NAMED, SAME, TYPED
from .names import literal

_WHOLE = {exp.DType.BIGINT, exp.DType.INT, exp.DType.SMALLINT, exp.DType.TINYINT}
_UNITS = {"MON": "MONTH", "MM": "MONTH", "YYYY": "YEAR", "YY": "YEAR", "DD": "DAY"}
_EXTRACT = {
    "DAYOFWEEK": "(dayofweek({0}) + 1)",
    "DOW": "(dayofweek({0}) + 1)",
    "DAYOFWEEK_ISO": "isodow({0})",
    "DAYOFWEEKISO": "isodow({0})",
    "DOW_ISO": "isodow({0})",
    "WEEK": "weekofyear({0})",
    "W": "weekofyear({0})",
    "YEAROFWEEK": "isoyear({0})",
    "SECOND": "CAST(microsecond({0}) / 1000000 AS DECIMAL(8,6))",
    "DOY": "dayofyear({0})",
} | {unit: unit.lower() + "({0})" for unit in ("YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE")}
_DIFFS = ("MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
_SPAN = ["microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"]
_SHA2 = {"0": "sha256", "256": "sha256"}

Write = Callable[[Any, Any], str]


def _template(names: tuple[str, ...], text: str) -> Write:
    def write(self: Any, node: Any) -> str:
        parts = []
        for name in names:
            value = node.args.get(name)
            several = [self.sql(v) for v in value] if isinstance(value, list) else [self.sql(value)] if value else []
            parts.append(", ".join(several))
        if names == ("this", "expressions"):
            parts = [", ".join(p for p in parts if p)]
        return text.format(*parts)

    return write


def refuse(what: str, instead: str = "") -> errors.NotSupportedError:
    return errors.NotSupportedError(f"Found {what}, which the local engine does not run. {instead}".strip())


def _cast(self: Any, node: exp.Cast) -> str:
    inner, kind = self.sql(node, "this"), node.to
    word = "TRY_CAST" if isinstance(node, exp.TryCast) else "CAST"
    if kind.this in _WHOLE and not (isinstance(node.this, exp.Null) or node.this.is_int):
        inner = f"spark_try_whole({inner})" if word == "TRY_CAST" else f"spark_whole({inner})"
    elif kind.this in (exp.DType.TEXT, exp.DType.VARCHAR):
        if kind.expressions or kind.this == exp.DType.VARCHAR:
            raise refuse(f"the type {kind.sql('databricks')}", "Use STRING.")
        return f"{inner}" if isinstance(node.this, exp.Literal) and node.this.is_string else f"spark_text({inner})"
    elif kind.this == exp.DType.BINARY:
        return (
            f"{'encode'}(CAST({inner} AS VARCHAR))" if isinstance(node.this, exp.Literal) else f"CAST({inner} AS BLOB)"
        )
    elif kind.this == exp.DType.DATE and not isinstance(node.this, exp.Literal):
        return f"{word}(left(CAST({inner} AS VARCHAR), 10) AS DATE)" if word == "TRY_CAST" else f"CAST({inner} AS DATE)"
    return f"{word}({inner} AS {self.sql(kind)})"


def _extract(self: Any, node: exp.Extract) -> str:
    part = node.name.upper().rstrip("S") if node.name.upper() not in _EXTRACT else node.name.upper()
    if part not in _EXTRACT:
        raise refuse(f"EXTRACT({node.name} …)", f"Known: {', '.join(_EXTRACT)}.")
    return _EXTRACT[part].format(f"spark_instant({self.sql(node, 'expression')})")


def _trunc(self: Any, node: exp.TimestampTrunc | exp.DateTrunc) -> str:
    unit = node.args["unit"]
    text = self.sql(unit) if isinstance(unit, exp.Placeholder) else literal(_UNITS.get(unit.name.upper(), unit.name))
    found = f"spark_date_trunc({text}, {self.sql(node, 'this')})"
    return f"CAST({found} AS DATE)" if isinstance(node, exp.DateTrunc) else found


def _add(self: Any, node: Any) -> str:
    unit = (node.text("unit") or "DAY").lower().rstrip("s")
    if unit not in _SPAN:
        raise refuse(f"the unit {unit}", f"Known: {', '.join(_SPAN)}.")
    amount = f"CAST({self.sql(node, 'expression')} AS BIGINT)"
    amount, unit = (f"(3 * {amount})", "month") if unit == "quarter" else (amount, unit)
    if unit in ("day", "week", "month", "year"):
        amount = f"CAST({amount} AS INTEGER)"
    return f"(spark_instant({self.sql(node, 'this')}) + to_{unit}s({amount}))"


def _date_add(self: Any, node: Any) -> str:
    return f"CAST({_add(self, node)} AS DATE)"


def _diff(self: Any, node: Any) -> str:
    unit = (node.text("unit") or "DAY").upper().rstrip("S")
    if unit not in _DIFFS:
        raise refuse(f"the unit {unit}", f"Known: {', '.join(_DIFFS)}.")
    this, other = (f"spark_instant({self.sql(node, name)})" for name in ("this", "expression"))
    return f"date_sub('{unit.lower()}', {other}, {this})"


def _date_diff(self: Any, node: exp.DateDiff) -> str:
    if node.args.get("unit") and node.text("unit").upper() != "DAY":
        return _diff(self, node)
    return f"(CAST({self.sql(node, 'this')} AS DATE) - CAST({self.sql(node, 'expression')} AS DATE))"


def _zone(name: str) -> Write:
    def write(self: Any, node: Any) -> str:
        inner = node.this.this if isinstance(node.this, exp.Cast) else node.this
        return f"{name}({self.sql(inner)}, {self.sql(node, 'zone')})"

    return write


def _convert_zone(self: Any, node: exp.ConvertTimezone) -> str:
    source = self.sql(node, "source_tz") or "'UTC'"
    return f"spark_convert_zone({source}, {self.sql(node, 'target_tz')}, {self.sql(node, 'timestamp')})"


def _date_format(self: Any, node: exp.TimeToStr) -> str:
    """DATE_FORMAT with the patterns that both sides read alike: year, month, day, hour, minute, second, fraction."""
    found = node.args["format"]
    # sqlglot marks the two-digit patterns of Spark as strict.
    pattern = found.name.replace("strict", "") if isinstance(found, exp.Literal) else "%?"
    if not re.fullmatch(r"(%[YmdHMSf]|[^%A-Za-z])*", pattern):
        raise refuse("this pattern of date_format()", "Known: yyyy MM dd HH mm ss SSSSSS, as a literal.")
    return f"strftime(spark_instant({self.sql(node, 'this')}), {literal(pattern)})"


def json_path(path: str) -> str:
    """A Spark JSON path in DuckDB's spelling: every key quoted, so that any character may be in it."""
    steps = re.findall(
        r"""\.("(?:[^"\\]|\\.)*"|[^.\[]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|(.)""", path.removeprefix("$")
    )
    if not path.startswith("$") or any(other for *_, other in steps) or any(key == "*" for key, *_ in steps):
        raise refuse(f"the JSON path {path!r}", "A path is $, .key, ['key'] and [index], without wildcards.")
    return "$" + "".join(f"[{index}]" if index else _json_key(key, quoted) for key, index, quoted, _ in steps)


def _json_key(key: str, quoted: str) -> str:
    """One key, as it is written without or in quotes or in brackets, in DuckDB's quotes."""
    if key.startswith('"'):
        return "." + key
    plain = key or re.sub(r"\\(.)", r"\1", quoted)
    return '."' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json_extract(self: Any, node: exp.JSONExtractScalar) -> str:
    path = node.expression
    if isinstance(path, exp.JSONPath):
        text = literal(json_path(_spark_path(path)))
    elif isinstance(path, exp.Literal):
        text = literal(json_path(path.name))
    elif isinstance(path, exp.Placeholder):
        text = self.sql(path)
    else:
        raise refuse("a JSON path that is computed", "Give the path as a literal or a parameter.")
    return f"spark_json_text({self.sql(node, 'this')}, {text})"


def _spark_path(path: exp.JSONPath) -> str:
    steps = ""
    for step in path.expressions:
        if isinstance(step, exp.JSONPathKey):
            steps += "['" + str(step.this).replace("'", "\\'") + "']"
        elif isinstance(step, exp.JSONPathSubscript):
            steps += f"[{step.this}]"
        elif not isinstance(step, exp.JSONPathRoot):
            raise refuse("a JSON path with a wildcard or a filter")
    return "$" + steps


def structure(kind: exp.DataType) -> Any:
    """The shape DuckDB's from_json wants for a type: nested lists and objects of type names."""
    if kind.this in (exp.DType.ARRAY, exp.DType.LIST):
        return [structure(kind.expressions[0])]
    if kind.this == exp.DType.STRUCT:
        return {f.name: structure(f.args["kind"]) for f in kind.expressions}
    if kind.this == exp.DType.BINARY:
        raise refuse("BINARY inside from_json", "Send hex text and unhex() it.")
    return kind.sql("duckdb")


def _from_json(self: Any, node: Any) -> str:
    schema = node.expression if node.args.get("expression") else node.args.get("schema")
    if not isinstance(schema, exp.Literal):
        raise refuse("from_json with a computed schema", "Give the schema as a literal.")
    text = schema.name if "<" in schema.name or " " not in schema.name.strip() else f"STRUCT<{schema.name}>"
    kind = sqlglot.parse_one(text, into=exp.DataType, read="databricks")
    return f"from_json(spark_json({self.sql(node, 'this')}), {literal(json.dumps(structure(kind)))})"


def _collected(self: Any, node: Any, condition: str = "") -> str:
    """collect_list and collect_set: without NULLs; empty, not NULL, where nothing was collected."""
    inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    inner = inner.this if isinstance(inner, exp.Order) else inner
    what = self.sql(node, "this")
    what = f"DISTINCT {what}" if isinstance(node, exp.ArrayUniqueAgg) else what
    text = f"list({what}) FILTER (WHERE {self.sql(inner)} IS NOT NULL{condition})"
    return text if isinstance(node.parent, exp.Window) else f"coalesce({text}, [])"


def _filter(self: Any, node: exp.Filter) -> str:
    condition = self.sql(node.expression, "this")
    if isinstance(node.this, exp.ArrayAgg | exp.ArrayUniqueAgg):
        return _collected(self, node.this, f" AND ({condition})")
    return f"{self.sql(node, 'this')} FILTER (WHERE {condition})"


def _like(word: str) -> Write:
    def write(self: Any, node: Any) -> str:
        escape = "" if isinstance(node.parent, exp.Escape) else " ESCAPE '\\'"
        negated = "NOT " if node.args.get("negate") else ""
        return f"{self.sql(node, 'this')} {negated}{word} {self.sql(node, 'expression')}{escape}"

    return write


def _bracket(self: Any, node: exp.Bracket) -> str:
    index = node.expressions[0]
    key = self.sql(index)
    if isinstance(index, exp.Literal) and index.is_string:
        return f"{self.sql(node, 'this')}[{key}]"
    if node.args.get("offset") == 1:
        return f"spark_element_at({self.sql(node, 'this')}, {key})"
    return f"{self.sql(node, 'this')}[{key} + 1]" if not index.is_int else f"{self.sql(node, 'this')}[{int(key) + 1}]"


def _sha2(self: Any, node: exp.SHA2) -> str:
    bits = node.text("length") or "256"
    if bits not in _SHA2:
        raise refuse(f"sha2(…, {bits})", "Use sha2(…, 256).")
    return f"{_SHA2[bits]}({self.sql(node, 'this')})"


def _rand(_: Any, node: exp.Rand) -> str:
    if node.this:
        raise refuse("rand(seed)", "Use rand(), or sort by a hash of the key.")
    return "random()"


def _substring(self: Any, node: exp.Substring) -> str:
    start, length = self.sql(node, "start"), self.sql(node, "length")
    text = self.sql(node, "this")
    return f"spark_substring3({text}, {start}, {length})" if length else f"spark_substring({text}, {start})"


def _position(self: Any, node: exp.StrPosition) -> str:
    text, part, start = (self.sql(node, name) for name in ("this", "substr", "position"))
    return f"spark_locate({part}, {text}, {start})" if start else f"strpos({text}, {part})"


def _pad(self: Any, node: exp.Pad) -> str:
    side = "lpad" if node.args.get("is_left") else "rpad"
    pad = self.sql(node, "fill_pattern") or "' '"
    return f"spark_{side}({self.sql(node, 'this')}, CAST({self.sql(node, 'expression')} AS INTEGER), {pad})"


def _sort_array(self: Any, node: exp.ArraySort) -> str:
    down = isinstance(node.args.get("asc"), exp.Boolean) and not node.args["asc"].this
    first = node.args.get("nulls_first")
    nulls = "NULLS LAST" if down or (isinstance(first, exp.Boolean) and not first.this) else "NULLS FIRST"
    return f"list_sort({self.sql(node, 'this')}, '{'DESC' if down else 'ASC'}', '{nulls}')"


def _anonymous(self: Any, node: exp.Anonymous) -> str:
    arities, text = NAMED[node.name.upper()]
    if len(node.expressions) not in arities:
        raise errors.ProgrammingError(f"{node.name} takes {arities} arguments, found {len(node.expressions)}.")
    arguments = [self.sql(e) for e in node.expressions]
    if node.name.upper() == "VARIANT_GET":
        arguments[1] = literal(json_path(node.expressions[1].name))
    return text.format(*arguments)


class LocalGenerator(DuckDBGenerator):
    """DuckDB's generator with Spark's meaning of every function that it lets through."""

    TRANSFORMS = {
        **DuckDBGenerator.TRANSFORMS,
        **{kind: _template(*how) for kind, how in TYPED.items()},
        exp.Anonymous: _anonymous,
        exp.ArrayAgg: _collected,
        exp.ArrayUniqueAgg: _collected,
        exp.Filter: _filter,
        exp.Div: lambda self, e: f"spark_divide({self.sql(e, 'this')}, {self.sql(e, 'expression')})",
        exp.ArrayExcept: lambda self, e: f"spark_array_except({self.sql(e, 'this')}, {self.sql(e, 'expression')})",
        exp.ArrayIntersect: lambda self, e: "spark_array_intersect({}, {})".format(*map(self.sql, e.expressions)),
        exp.ArraySort: _sort_array,
        exp.AtTimeZone: _zone("spark_from_utc"),
        exp.Bracket: _bracket,
        exp.Cast: _cast,
        exp.ConvertTimezone: _convert_zone,
        exp.DateDiff: _date_diff,
        exp.DateTrunc: _trunc,
        exp.Explode: lambda self, e: f"unnest({self.sql(e, 'this')})",
        exp.Extract: _extract,
        exp.FromTimeZone: _zone("spark_to_utc"),
        exp.Inline: lambda self, e: f"unnest({self.sql(e, 'this')}, max_depth := 2)",
        exp.IntDiv: lambda self, e: f"spark_div({self.sql(e, 'this')}, {self.sql(e, 'expression')})",
        exp.JSONExtractScalar: _json_extract,
        exp.Like: _like("LIKE"),
        exp.ILike: _like("ILIKE"),
        exp.Pad: _pad,
        exp.Rand: _rand,
        exp.SHA2: _sha2,
        exp.StrPosition: _position,
        exp.Substring: _substring,
        exp.TimestampAdd: _add,
        exp.TimestampDiff: _diff,
        exp.TimestampTrunc: _trunc,
        exp.TimeToStr: _date_format,
        exp.TryCast: _cast,
        exp.TsOrDsAdd: _date_add,
        exp.Placeholder: lambda _, e: "$" + e.name + ("_path" if e.args.get("json_path") else ""),
        exp.FromJson: _from_json,
        exp.Unicode: lambda self, e: f"unicode({self.sql(e, 'this')})",
    }


class LocalDialect(DuckDB):
    """Generates the DuckDB text that the local engine runs; it parses nothing."""

    Generator = LocalGenerator


_OWN = frozenset(
    {
        exp.Anonymous, exp.Rand, exp.ArrayAgg, exp.ArrayUniqueAgg, exp.ArrayExcept, exp.ArrayIntersect, exp.ArraySort,
        exp.ConvertTimezone, exp.DateDiff,
        exp.DateTrunc, exp.Extract, exp.JSONExtractScalar, exp.Pad, exp.SHA2, exp.StrPosition, exp.Substring,
        exp.TimestampAdd, exp.TimestampDiff, exp.TimestampTrunc, exp.TimeToStr, exp.TsOrDsAdd, exp.Like, exp.ILike, exp.FromJson,
    }
)  # fmt: skip
KNOWN = frozenset(TYPED) | SAME | _OWN
_DIALECT = LocalDialect()


def check_functions(tree: exp.Expr) -> None:
    """NotSupportedError for the first function that is in none of our tables."""
    for node in tree.find_all(exp.Func):
        if isinstance(node, exp.Anonymous):
            if node.name.upper() not in NAMED:
                raise refuse(f"the function {node.name}()")
        elif type(node) not in KNOWN or (isinstance(node, exp.Exists) and node.args.get("expression")):
            raise refuse(f"the function {_written(node)}()")


def _written(node: exp.Func) -> str:
    """The function's name in Databricks SQL: the parser's own may be one that nobody wrote."""
    found = re.match(r"(\w+)\(", node.sql("databricks"))
    return (found[1] if found else node.sql_name()).lower()


def generate(tree: exp.Expr) -> str:
    """DuckDB's text for a tree, which is changed on the way, so give a copy; NotSupportedError for what has none."""
    try:
        return str(_DIALECT.generate(tree, copy=False, unsupported_level=ErrorLevel.RAISE))
    except UnsupportedError as error:
        raise refuse(str(error)) from error
