"""Errors of the connector and of the server as PEP 249's.

The connector gives every server error as one class, with `[ERROR_CLASS]` and `SQLSTATE: …` in its text. Classes and
states: https://docs.databricks.com/error-messages/error-classes.html
"""

from __future__ import annotations

import re

from ..pep249 import (
    DatabaseError,
    DataError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)


class ConnectionLostError(OperationalError):
    """The connection or its session is gone; whether the statement ran is not known."""


class ConflictError(OperationalError):
    """Another writer committed first; nothing of the statement was written."""


BY_CLASS: tuple[tuple[str, type[DatabaseError]], ...] = (
    (r"DELTA_CONCURRENT_\w+|DELTA_METADATA_CHANGED", ConflictError),
    (r"DELTA_NOT_NULL_CONSTRAINT_VIOLATED|NOT_NULL_CONSTRAINT_VIOLATION|NOT_NULL_ASSERT_VIOLATION", IntegrityError),
    (r"DELTA_VIOLATE_CONSTRAINT_WITH_VALUES|CHECK_CONSTRAINT_VIOLATION", IntegrityError),
    (r"TABLE_OR_VIEW_NOT_FOUND|SCHEMA_NOT_FOUND|NO_SUCH_CATALOG_EXCEPTION|UNRESOLVED_\w+", ProgrammingError),
    (r"PARSE_\w+|TABLE_OR_VIEW_ALREADY_EXISTS|UNBOUND_SQL_PARAMETER|INSUFFICIENT_PERMISSIONS", ProgrammingError),
    (r"CAST_\w+|ARITHMETIC_OVERFLOW|NUMERIC_VALUE_OUT_OF_RANGE|DIVIDE_BY_ZERO|DATETIME_OVERFLOW", DataError),
    (r"BINARY_ARITHMETIC_OVERFLOW|MALFORMED_RECORD_IN_PARSING|INVALID_\w*FORMAT\w*", DataError),
    (r"UNSUPPORTED_\w+|NOT_SUPPORTED_\w+|\w+_NOT_SUPPORTED|DELTA_UNSUPPORTED\w*|UNIMPLEMENTED", NotSupportedError),
)
# By the first signs of the SQLSTATE, for classes that are not named above. The longest that fits counts.
BY_STATE: dict[str, type[DatabaseError]] = {
    "2D521": ConflictError,
    "40": ConflictError,
    "22": DataError,
    "23": IntegrityError,
    "42": ProgrammingError,
    "0A": NotSupportedError,
    "08": OperationalError,
    "53": OperationalError,
    "57": OperationalError,
    "58": OperationalError,
}
GUARDED = re.compile(r"USER_RAISED_EXCEPTION.*duplicate key", re.DOTALL)
SESSION_GONE = re.compile(r"Invalid SessionHandle|INVALID_HANDLE|SESSION_(NOT_FOUND|CLOSED|EXPIRED)", re.IGNORECASE)
CLASS = re.compile(r"\[([A-Z][A-Z0-9_]+)(?:\.[A-Z0-9_]+)*\]")
STATE = re.compile(r"SQLSTATE:? ?([0-9A-Z]{5})")


def from_server(text: str) -> DatabaseError:
    """Return the PEP 249 error for a server's message."""
    if SESSION_GONE.search(text):
        return ConnectionLostError(text)
    if GUARDED.search(text):
        return IntegrityError(text)
    if text.startswith("Staging operation over HTTP"):
        return OperationalError(f"The storage of a volume refused a file: {text}")
    if found := CLASS.search(text):
        for pattern, kind in BY_CLASS:
            if re.fullmatch(pattern, found[1]):
                return kind(text)
    if found := STATE.search(text):
        for length in (5, 2):
            if found[1][:length] in BY_STATE:
                return BY_STATE[found[1][:length]](text)
    return DatabaseError(text)
