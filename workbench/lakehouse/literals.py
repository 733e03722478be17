"""Values as literals of Databricks SQL: for DDL, which takes no parameters, and for logs."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from workbench.lakehouse.cursor import adapted


def literal(value: Any) -> str:
    """Return the value as a literal; a backslash escapes in Databricks' text. Raises ValueError for other types."""
    value = adapted(value)
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case Decimal():
            return format(value, "f")
        case int() | float():
            return repr(value)
        case datetime.datetime():
            return f"TIMESTAMP'{value.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S.%f}+00:00'"
        case datetime.date():
            return f"DATE'{value.isoformat()}'"
        case bytes():
            return f"X'{value.hex()}'"
        case list():
            return f"CAST(ARRAY({', '.join(map(literal, value))}) AS ARRAY<STRING>)"
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    raise ValueError(f"A {type(value).__name__} cannot be written as a literal: use text, a number, a date or a list.")
