"""Database functions whose Databricks spelling differs from Django's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldError
from django.db import NotSupportedError
from django.db.models import CharField, DateTimeField, DurationField, Field, TimeField, Value
from django.db.models.expressions import DurationExpression, ExpressionList
from django.db.models.fields.json import (
    HasKeyLookup,
    JSONExact,
    KeyTextTransform,
    KeyTransform,
    KeyTransformExact,
    KeyTransformIn,
    KeyTransformIsNull,
    KeyTransformNumericLookupMixin,
)
from django.db.models.functions import (
    SHA224,
    SHA256,
    SHA384,
    SHA512,
    Cast,
    Chr,
    ConcatPair,
    Length,
    Now,
    Ord,
    Random,
    StrIndex,
)
from django.db.models.functions.datetime import TruncBase

from workbench.canonical import canonical_bytes

Sql = tuple[str, list[Any]]

# Writers differ in how they escape control characters, so a value to compare goes through the same one.
JSON_VALUE = "TO_JSON(PARSE_JSON(%s))"


def _function(name: str) -> Callable[..., Any]:
    def as_databricks(self: Any, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function=name, **extra)

    return as_databricks


def _template(template: str) -> Callable[..., Any]:
    def as_databricks(self: Any, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template=template, **extra)

    return as_databricks


def str_index(self: StrIndex, compiler: Any, connection: Any, **extra: Any) -> Any:
    """INSTR counts from 1 and returns 0 where nothing is found, as Django wants."""
    return self.as_sql(compiler, connection, function="INSTR", **extra)


def concat_pair(self: ConcatPair, compiler: Any, connection: Any, **extra: Any) -> Any:
    """NULL counts as an empty text, as everywhere in Django."""
    return self.coalesce().as_sql(compiler, connection, template="CONCAT(%(expressions)s)", **extra)


def trunc(self: TruncBase, compiler: Any, connection: Any) -> Any:
    """A time of day out of a datetime is text here, so the datetime is turned into text before it is cut."""
    out_of_datetime = isinstance(self.lhs.output_field, DateTimeField) and isinstance(self.output_field, TimeField)
    if not out_of_datetime or self.kind == "time":
        return self.as_sql(compiler, connection)
    tzname = self.get_tzname() if settings.USE_TZ else None
    sql, params = connection.ops.datetime_cast_time_sql(*compiler.compile(self.lhs), tzname)
    return connection.ops.time_trunc_sql(self.kind, sql, params)


def cast(self: Cast, compiler: Any, connection: Any, **extra: Any) -> Any:
    """Times of day are text, and text has no length of its own, so both casts need more than a type."""
    source = self.get_source_expressions()[0]
    if isinstance(self.output_field, TimeField) and _gives(source, DateTimeField):
        return connection.ops.datetime_cast_time_sql(*compiler.compile(source), None)
    sql, params = self.as_sql(compiler, connection, **extra)
    if isinstance(self.output_field, CharField) and self.output_field.max_length:
        sql = f"LEFT({sql}, {self.output_field.max_length})"
    return sql, params


def duration_expression(self: DurationExpression, compiler: Any, connection: Any) -> Sql:
    """TIMESTAMPADD names the amount first, so the two sides, and with them their parameters, may change places."""
    if self.connector not in ("+", "-"):
        sql, params = self.as_sql(compiler, connection)
        return sql, [*params]
    moment, amount = (self.rhs, self.lhs) if _gives(self.lhs, DurationField) else (self.lhs, self.rhs)
    (amount_sql, amount_params), (sql, params) = compiler.compile(amount), compiler.compile(moment)
    sign = "-" if self.connector == "-" else ""
    return f"TIMESTAMPADD(MICROSECOND, {sign}({amount_sql}), {sql})", [*amount_params, *params]


def _gives(side: Any, kind: type[Field[Any, Any]]) -> bool:
    try:
        return isinstance(side.output_field, kind)
    except FieldError:
        return False


def json_path(keys: list[Any]) -> str:
    """Return a JSON path as a literal, such as `$['a'][0]`, escaped for the path, for SQL and for `%s`."""
    path = "$" + "".join(f"[{key}]" if isinstance(key, int) else json_step(key) for key in keys)
    return "'" + path.replace("\\", "\\\\").replace("'", "\\'").replace("%", "%%") + "'"


def json_step(key: str) -> str:
    """Return one step of a path. Spark knows no escape for a quote in brackets and ends a bare key at a dot."""
    if "'" not in key:
        return "['" + key.replace("\\", "\\\\") + "']"
    if "." in key or "[" in key:
        raise NotSupportedError(
            f"The JSON key {key!r} holds a quote beside a dot or bracket: read the whole value instead."
        )
    return f".{key}"


def json_keys(keys: list[Any]) -> list[Any]:
    """Return the keys with numbers as places in a list, as Django reads them from lookups such as `data__0`."""
    return [_place(key) for key in keys]


def _place(key: Any) -> Any:
    try:
        return int(key)
    except ValueError:
        return str(key)


def key_transform(self: KeyTransform, compiler: Any, connection: Any, **extra: Any) -> Sql:
    """Return the value as JSON text, so that `"1"` and `1` stay different."""
    lhs, params, keys = self.preprocess_lhs(compiler, connection)
    return f"TO_JSON(VARIANT_GET(PARSE_JSON({lhs}), {json_path(json_keys(keys))}))", [*params]


def key_text_transform(self: KeyTextTransform, compiler: Any, connection: Any, **extra: Any) -> Sql:
    """Return the value as bare text."""
    lhs, params, keys = self.preprocess_lhs(compiler, connection)
    return f"GET_JSON_OBJECT({lhs}, {json_path(json_keys(keys))})", [*params]


def json_exact(self: JSONExact, compiler: Any, connection: Any) -> Sql:
    lhs, params = self.process_lhs(compiler, connection)
    if hasattr(self.rhs, "as_sql"):
        rhs, rhs_params = compiler.compile(self.rhs)
        return f"{lhs} = {rhs}", [*params, *rhs_params]
    return f"{lhs} = %s", [*params, json_text(self.rhs)]


def key_transform_exact(self: KeyTransformExact, compiler: Any, connection: Any) -> Sql:
    """Compare JSON text that one writer made; a missing key is not JSON null."""
    lhs, params = compiler.compile(self.lhs)
    rhs, rhs_params = json_side(self.rhs, compiler)
    return f"{lhs} = {rhs}", [*params, *rhs_params]


def key_transform_in(self: KeyTransformIn, compiler: Any, connection: Any) -> Sql:
    lhs, params = compiler.compile(self.lhs)
    if hasattr(self.rhs, "as_sql") and not isinstance(self.rhs, ExpressionList):
        rhs, rhs_params = self.process_rhs(compiler, connection)
        return f"{lhs} IN {rhs}", [*params, *rhs_params]
    values = self.rhs.get_source_expressions() if isinstance(self.rhs, ExpressionList) else self.rhs
    sides = [json_side(value, compiler) for value in values]
    listed = ", ".join(sql for sql, _ in sides)
    return f"{lhs} IN ({listed})", [*params, *(param for _, given in sides for param in given)]


def json_side(value: Any, compiler: Any) -> Sql:
    """Return the text that a key's value is compared with: of a plain value, another key, or any other JSON."""
    if isinstance(value, KeyTransform):
        sql, params = compiler.compile(value)
        return sql, [*params]
    value = value.value if isinstance(value, Value) else value
    if not hasattr(value, "as_sql"):
        return JSON_VALUE, [json_text(value)]
    sql, params = compiler.compile(value)
    return JSON_VALUE % sql, [*params]


def key_transform_is_null(self: KeyTransformIsNull, compiler: Any, connection: Any) -> Sql:
    lhs, params = compiler.compile(self.lhs)
    return f"{lhs} IS {'' if self.rhs else 'NOT '}NULL", [*params]


def key_transform_number(self: Any, compiler: Any, connection: Any) -> Sql:
    """Compare as numbers; a value that is no number is never smaller or larger."""
    lhs, params, keys = self.lhs.preprocess_lhs(compiler, connection)
    left = f"TRY_CAST(GET_JSON_OBJECT({lhs}, {json_path(json_keys(keys))}) AS DOUBLE)"
    return f"{left} {connection.operators[self.lookup_name]}", [*params, self.rhs]


def has_key(self: HasKeyLookup, compiler: Any, connection: Any) -> Sql:
    """A key with JSON null is there; VARIANT tells it from a missing one."""
    if isinstance(self.lhs, KeyTransform):
        lhs, params, above = self.lhs.preprocess_lhs(compiler, connection)
    else:
        (lhs, params), above = self.process_lhs(compiler, connection), []
    keys = self.rhs if isinstance(self.rhs, list | tuple) else [self.rhs]
    paths = [json_path([*json_keys(above), *_path_of(key, compiler, connection)]) for key in keys]
    found = [f"VARIANT_GET(PARSE_JSON({lhs}), {path}) IS NOT NULL" for path in paths]
    return "(" + (self.logical_operator or "AND").join(f" {sql} " for sql in found) + ")", [*params] * len(keys)


def _path_of(key: Any, compiler: Any, connection: Any) -> list[Any]:
    """Return the steps to a key that is given by its name, or by a path such as F("data__a__b")."""
    if not isinstance(key, KeyTransform):
        return [str(key)]
    *_, keys = key.preprocess_lhs(compiler, connection)
    return [*json_keys(keys[:-1]), str(keys[-1])]


def json_text(value: Any) -> str:
    """Return the canonical JSON that a column holds for the value; None is JSON null."""
    return canonical_bytes(value).decode()


def register() -> None:
    """Give Django's own functions and lookups their `as_databricks`."""
    spellings: list[tuple[Any, Callable[..., Any]]] = [
        (Chr, _function("CHR")),
        (Ord, _function("ASCII")),
        (Random, _function("RAND")),
        (Length, _function("CHAR_LENGTH")),
        (SHA224, _template("SHA2(%(expressions)s, 224)")),
        (SHA256, _template("SHA2(%(expressions)s, 256)")),
        (SHA384, _template("SHA2(%(expressions)s, 384)")),
        (SHA512, _template("SHA2(%(expressions)s, 512)")),
        (Now, _template("CURRENT_TIMESTAMP()")),
        (StrIndex, str_index),
        (TruncBase, trunc),
        (Cast, cast),
        (ConcatPair, concat_pair),
        (DurationExpression, duration_expression),
        (KeyTransform, key_transform),
        (KeyTextTransform, key_text_transform),
        (JSONExact, json_exact),
        (KeyTransformExact, key_transform_exact),
        (KeyTransformIn, key_transform_in),
        (KeyTransformIsNull, key_transform_is_null),
        (KeyTransformNumericLookupMixin, key_transform_number),
        (HasKeyLookup, has_key),
    ]
    for target, as_databricks in spellings:
        target.as_databricks = as_databricks
