"""PEP 249 exceptions of the local engine, and the one place that turns engine errors into them."""

from __future__ import annotations

import re

from .. import pep249
from ..pep249 import *  # noqa: F403 - they are named there

# Texts raised inside statements by `error(...)` start with one of these, so that they survive the trip through DuckDB.
NOT_NULL = "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"
CHECK = "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"
_INTEGRITY = re.compile(rf"{NOT_NULL}|{CHECK}|duplicate|unique", re.IGNORECASE)
_RAISED = re.compile(r"^Invalid Input Error: ", re.IGNORECASE)

_BY_PREFIX: tuple[tuple[str, type[pep249.DatabaseError]], ...] = (
    ("Parser Error", pep249.ProgrammingError),
    ("Binder Error", pep249.ProgrammingError),
    ("Catalog Error", pep249.ProgrammingError),
    ("Syntax Error", pep249.ProgrammingError),
    ("Parameter Not", pep249.ProgrammingError),
    ("Conversion Error", pep249.DataError),
    ("Out of Range Error", pep249.DataError),
    ("Mismatch Type Error", pep249.DataError),
    ("Invalid Type Error", pep249.DataError),
    ("Not implemented Error", pep249.NotSupportedError),
    ("Permission Error", pep249.ProgrammingError),
    ("IO Error", pep249.OperationalError),
    ("Constraint Error", pep249.IntegrityError),
    ("INTERNAL Error", pep249.InternalError),
    ("Invalid Input Error", pep249.DataError),
)


def from_engine(error: BaseException) -> pep249.DatabaseError:
    """The PEP 249 error for an error of DuckDB, Arrow or delta-rs."""
    text = str(error)
    text = text.removeprefix("External error: ").removeprefix("Invalid: ")
    if isinstance(error, PermissionError | FileNotFoundError) or (isinstance(error, OSError) and error.errno):
        return pep249.OperationalError(
            f"The lakehouse directory cannot be used: {text}. Check that it exists and is writable."
        )
    if text.startswith("Out of Memory Error"):
        return pep249.OutOfMemory(
            "[OUT_OF_MEMORY] The statement needs more memory than the local lakehouse may take, because its rows are "
            "wide: take fewer rows or columns at once, or give it more, as in WORKBENCH_LAKEHOUSE_URL="
            f"delta:///DIR?memory=4GB. ({text.splitlines()[0]})"
        )
    if _RAISED.match(text) and _INTEGRITY.search(text):
        return pep249.IntegrityError(_RAISED.sub("", text))
    for prefix, kind in _BY_PREFIX:
        if text.startswith(prefix):
            return kind(_RAISED.sub("", text).strip())
    if "invariant" in text or "constraint" in text.lower():
        return pep249.IntegrityError(text)
    return pep249.OperationalError(text)
