"""Rows so wide that few of them fill the memory of the lakehouse's engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError

from workbench.lakehouse.engines.pep249 import OutOfMemory
from workbench.problems import Invalid


@contextmanager
def within_memory() -> Iterator[None]:
    """Turn a statement that needs more memory than the engine may take into an Invalid, which says what to do."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, OutOfMemory):
            raise Invalid(str(error)) from error
        raise


def text_size(row: Mapping[str, Any]) -> int:
    """Return about how many characters a row holds; numbers and times count nothing."""
    return sum(
        len(value) if isinstance(value, str | bytes) else len(str(value)) if isinstance(value, list | dict) else 0
        for value in row.values()
    )
