"""PEP 249 exceptions of the local engine, and the one place that turns engine errors into them."""

from __future__ import annotations

import re


class Warning(Exception):  # noqa: A001, N818 - PEP 249 names it so
    """Raised for important warnings; the local engine never raises it."""


class Error(Exception):
    """Base of every error of this driver."""


class InterfaceError(Error):
    """The driver was used wrongly: closed cursor, closed connection."""


class DatabaseError(Error):
    """Base of the errors that a statement can cause."""


class DataError(DatabaseError):
    """A value does not fit: bad cast, out of range, division by zero."""


class OperationalError(DatabaseError):
    """The lakehouse could not do it now: lock time-out, conflicting commits, unwritable directory."""


class IntegrityError(DatabaseError):
    """A constraint is violated: NOT NULL, CHECK, or a guarded unique key."""


class InternalError(DatabaseError):
    """The engine is in a state it should not be in."""


class ProgrammingError(DatabaseError):
    """The statement is wrong: syntax, unknown table or column, number of parameters."""


class NotSupportedError(DatabaseError):
    """The statement is valid Databricks SQL that this engine does not run."""


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
    ("Out of Memory Error", OperationalError),
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
    if _RAISED.match(text) and _INTEGRITY.search(text):
        return IntegrityError(_RAISED.sub("", text))
    for prefix, kind in _BY_PREFIX:
        if text.startswith(prefix):
            return kind(_RAISED.sub("", text).strip())
    if "invariant" in text or "constraint" in text.lower():
        return IntegrityError(text)
    return OperationalError(text)
