"""The names of PEP 249 that every engine has: exceptions, which Django maps to its own, and `Binary`."""

from __future__ import annotations

__all__ = [
    "Binary",
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
]

Binary = bytes


class Warning(Exception):  # noqa: A001, N818 - PEP 249 names it so
    """Raised for important warnings; no engine raises it."""


class Error(Exception):
    """Base of every error of an engine."""


class InterfaceError(Error):
    """The engine was used wrongly: closed cursor, closed connection."""


class DatabaseError(Error):
    """Base of the errors that a statement can cause."""


class DataError(DatabaseError):
    """A value does not fit: bad cast, out of range, division by zero."""


class OperationalError(DatabaseError):
    """The lakehouse could not do it now: lost connection, time-out, conflicting commits, unwritable directory."""


class OutOfMemory(OperationalError):  # noqa: N818 - named as the engine's error
    """A statement needs more memory than its engine may take; trying again does not help."""


class IntegrityError(DatabaseError):
    """A constraint is violated: NOT NULL, CHECK, or a guarded unique key."""


class InternalError(DatabaseError):
    """The engine is in a state it should not be in."""


class ProgrammingError(DatabaseError):
    """The statement is wrong: syntax, unknown table or column, number of parameters."""


class NotSupportedError(DatabaseError):
    """The statement is valid Databricks SQL that this engine does not run."""
