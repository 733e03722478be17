"""Values as an engine binds them, and as literals of Databricks SQL: for DDL, which takes no parameters, and for logs."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.duration import duration_microseconds
from django.utils.encoding import force_str
from django.utils.functional import Promise

# Most values of a write are of these, and a lookup takes a tenth of the time of trying the patterns one after the other.
PLAIN = frozenset({str, int, float, bool, type(None), bytes, Decimal})


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
        case float() if not math.isfinite(value):
            return f"CAST('{value}' AS DOUBLE)"
        case int() | float():
            return repr(value)
        case datetime.datetime():
            return f"TIMESTAMP'{value.astimezone(datetime.UTC).isoformat(' ', 'microseconds')}'"
        case datetime.date():
            return f"DATE'{value.isoformat()}'"
        case bytes():
            return f"X'{value.hex()}'"
        case list():
            return f"CAST(ARRAY({', '.join(map(literal, value))}) AS ARRAY<STRING>)"
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    raise ValueError(f"A {type(value).__name__} cannot be written as a literal: use text, a number, a date or a list.")


def adapted(value: Any) -> Any:
    """Return the value as an engine binds it: UTC times, text for times and UUIDs, microseconds for durations."""
    if type(value) in PLAIN:
        return value
    match value:
        case datetime.datetime():
            return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        case datetime.time():
            return value.isoformat(timespec="microseconds")
        case datetime.timedelta():
            return duration_microseconds(value)
        case UUID():
            return str(value)
        case Promise():
            return force_str(value)
        case memoryview():
            return bytes(value)
        case list() | tuple():
            return [adapted(item) for item in value]
    return value
