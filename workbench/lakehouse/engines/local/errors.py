"""PEP 249 exceptions of the local engine, and the one place that turns engine errors into them."""

from __future__ import annotations

import re

from ..pep249 import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    OutOfMemory,
    ProgrammingError,
    Warning,  # noqa: A004 - PEP 249 names it so
)

__all__ = [
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "OutOfMemory",
    "ProgrammingError",
    "Warning",
    "from_engine",
]

# Texts raised inside statements by `error(...)` start with one of these, so that they survive the trip through DuckDB.
NOT_NULL = "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"
CHECK = "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"
_INTEGRITY = re.compile(rf"{NOT_NULL}|{CHECK}|duplicate|unique", re.IGNORECASE)
_RAISED = re.compile(r"^Invalid Input Error: ", re.IGNORECASE)

_BY_PREFIX: tuple[tuple[str, type[DatabaseError]], ...] = (
    ("Parser Error", ProgrammingError),
    ("Binder Error", ProgrammingError),
    ("Catalog Error", ProgrammingError),
    ("Syntax Error", ProgrammingError),
    ("Parameter Not", ProgrammingError),
    ("Conversion Error", DataError),
    ("Out of Range Error", DataError),
    ("Mismatch Type Error", DataError),
    ("Invalid Type Error", DataError),
    ("Not implemented Error", NotSupportedError),
    ("Permission Error", ProgrammingError),
    ("IO Error", OperationalError),
    ("Constraint Error", IntegrityError),
    ("INTERNAL Error", InternalError),
    ("Invalid Input Error", DataError),
)


def from_engine(error: BaseException) -> DatabaseError:
    """The PEP 249 error for an error of DuckDB, Arrow or delta-rs."""
    text = str(error)
    text = text.removeprefix("External error: ").removeprefix("Invalid: ")
    if isinstance(error, PermissionError | FileNotFoundError) or (isinstance(error, OSError) and error.errno):
        return OperationalError(
            f"The lakehouse directory cannot be used: {text}. Check that it exists and is writable."
        )
    if text.startswith("Out of Memory Error"):
        return OutOfMemory(
            "[OUT_OF_MEMORY] The statement needs more memory than the embedded lakehouse may take, because its rows are "
            "wide: take fewer rows or columns at once, or give it more, as in WORKBENCH_LAKEHOUSE_URL="
            f"delta:///DIR?memory=4GB. ({text.splitlines()[0]})"
        )
    if _RAISED.match(text) and _INTEGRITY.search(text):
        return IntegrityError(_RAISED.sub("", text))
    for prefix, kind in _BY_PREFIX:
        if text.startswith(prefix):
            return kind(_RAISED.sub("", text).strip())
    if "invariant" in text or "constraint" in text.lower():
        return IntegrityError(text)
    return OperationalError(text)
