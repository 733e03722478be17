"""Column types: Delta's names for them, Databricks SQL's and DuckDB's."""

from __future__ import annotations

import re
from typing import Any

import sqlglot
from sqlglot import exp

from . import errors
from .names import quoted

# Delta's primitive name -> (Databricks SQL, DuckDB)
PRIMITIVES: dict[str, tuple[str, str]] = {
    "string": ("STRING", "VARCHAR"),
    "long": ("BIGINT", "BIGINT"),
    "integer": ("INT", "INTEGER"),
    "short": ("SMALLINT", "SMALLINT"),
    "byte": ("TINYINT", "TINYINT"),
    "float": ("FLOAT", "FLOAT"),
    "double": ("DOUBLE", "DOUBLE"),
    "boolean": ("BOOLEAN", "BOOLEAN"),
    "binary": ("BINARY", "BLOB"),
    "date": ("DATE", "DATE"),
    "timestamp": ("TIMESTAMP", "TIMESTAMPTZ"),
    "timestamp_ntz": ("TIMESTAMP_NTZ", "TIMESTAMP"),
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(-?\d+)\)")

VOID = "void"
"""A column of nothing but NULL, as pandas leaves one behind; no file holds it."""
DeltaType = str | dict[str, Any]
"""A type as Delta's schema JSON spells it: a primitive's name, or an array, map or struct."""


def to_duckdb(kind: DeltaType) -> str:
    """The DuckDB type for a Delta type."""
    if isinstance(kind, dict):
        if kind["type"] == "array":
            return to_duckdb(kind["elementType"]) + "[]"
        if kind["type"] == "map":
            return f"MAP({to_duckdb(kind['keyType'])}, {to_duckdb(kind['valueType'])})"
        fields = (f"{quoted(f['name'])} {to_duckdb(f['type'])}" for f in kind["fields"])
        return f"STRUCT({', '.join(fields)})"
    if _DECIMAL.match(kind):
        return kind.upper()
    if kind == VOID:
        return "VARCHAR"
    if kind not in PRIMITIVES:
        raise errors.NotSupportedError(f"Found a column of Delta type {kind}; supported: {', '.join(PRIMITIVES)}.")
    return PRIMITIVES[kind][1]


def to_sql(kind: DeltaType) -> str:
    """The Databricks SQL spelling of a Delta type, as information_schema and DESCRIBE give it."""
    if isinstance(kind, dict):
        if kind["type"] == "array":
            return f"ARRAY<{to_sql(kind['elementType'])}>"
        if kind["type"] == "map":
            return f"MAP<{to_sql(kind['keyType'])}, {to_sql(kind['valueType'])}>"
        return f"STRUCT<{', '.join(f['name'] + ': ' + to_sql(f['type']) for f in kind['fields'])}>"
    return PRIMITIVES[kind][0] if kind in PRIMITIVES else kind.upper().replace(" ", "")


_BY_SQL: dict[exp.DType, str] = {
    exp.DType.BIGINT: "long",
    exp.DType.INT128: "long",
    exp.DType.UBIGINT: "long",
    exp.DType.UINT: "long",
    exp.DType.USMALLINT: "integer",
    exp.DType.UTINYINT: "short",
    exp.DType.INT: "integer",
    exp.DType.SMALLINT: "short",
    exp.DType.TINYINT: "byte",
    exp.DType.FLOAT: "float",
    exp.DType.DOUBLE: "double",
    exp.DType.BOOLEAN: "boolean",
    exp.DType.BINARY: "binary",
    exp.DType.VARBINARY: "binary",
    exp.DType.BLOB: "binary",
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMP: "timestamp",
    exp.DType.TIMESTAMPTZ: "timestamp",
    exp.DType.TIMESTAMPLTZ: "timestamp",
    exp.DType.TIMESTAMPNTZ: "timestamp_ntz",
    exp.DType.TEXT: "string",
    exp.DType.VARCHAR: "string",
    exp.DType.CHAR: "string",
    exp.DType.UUID: "string",
    exp.DType.JSON: "string",
    exp.DType.NULL: "string",
    exp.DType.UNKNOWN: "string",
}
_SIZED = (exp.DType.VARCHAR, exp.DType.CHAR, exp.DType.TEXT)
ALLOWED = (
    "STRING BIGINT INT SMALLINT TINYINT FLOAT DOUBLE BOOLEAN BINARY DATE TIMESTAMP TIMESTAMP_NTZ DECIMAL(p,s) "
    "ARRAY MAP STRUCT"
)


def from_expression(kind: exp.DataType) -> DeltaType:
    """The Delta type for a parsed type; NotSupportedError for VARIANT, INTERVAL and the like."""
    which = kind.this
    if which == exp.DType.DECIMAL:
        precision, scale = ([int(p.name) for p in kind.expressions] + [10, 0][len(kind.expressions) :])[:2]
        if not (1 <= precision <= 38 and 0 <= scale <= precision):
            raise errors.ProgrammingError(
                f"Found DECIMAL({precision},{scale}); a decimal has 1 to 38 digits and a scale of 0 up to its digits."
            )
        return f"decimal({precision},{scale})"
    if which in (exp.DType.ARRAY, exp.DType.LIST):
        return {"type": "array", "elementType": from_expression(kind.expressions[0]), "containsNull": True}
    if which == exp.DType.MAP:
        key, value = (from_expression(e) for e in kind.expressions)
        return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}
    if which == exp.DType.STRUCT:
        return {"type": "struct", "fields": [_struct_field(f) for f in kind.expressions]}
    if which not in _BY_SQL or (kind.expressions and which in _SIZED):
        raise errors.NotSupportedError(f"Found column type {kind.sql('databricks')}; supported: {ALLOWED}.")
    return _BY_SQL[which]


def _struct_field(field: exp.Expr) -> dict[str, Any]:
    kind = field.args["kind"]
    return {"name": field.name, "type": from_expression(kind), "nullable": True, "metadata": {}}


def from_duckdb(name: str) -> DeltaType:
    """The Delta type in which a result column of DuckDB is stored."""
    return from_expression(sqlglot.parse_one(_duckdb_spelling(name), into=exp.DataType, read="duckdb"))


def _duckdb_spelling(name: str) -> str:
    replaced = name.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ").replace('"NULL"', "VARCHAR")
    return re.sub(r"TIMESTAMP(?!TZ)(_NS|_MS|_S)?", "TIMESTAMP_NTZ", replaced) if "TIMESTAMP" in replaced else replaced


def result_name(duckdb_name: str) -> str:
    """The type code in a cursor's description, such as STRING, BIGINT, DECIMAL or ARRAY."""
    head = duckdb_name.upper()
    if head.endswith("]"):
        return "ARRAY"
    if head.startswith(("DECIMAL", "MAP", "STRUCT")):
        return head.split("(")[0]
    return _RESULT.get(head, head)


_RESULT = {duckdb: sql for sql, duckdb in PRIMITIVES.values()} | {
    "HUGEINT": "BIGINT",
    "UHUGEINT": "BIGINT",
    "UBIGINT": "BIGINT",
    "UINTEGER": "BIGINT",
    "USMALLINT": "INT",
    "UTINYINT": "SMALLINT",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "UUID": "STRING",
    "JSON": "STRING",
    '"NULL"': "VOID",
    "NULL": "VOID",
}
