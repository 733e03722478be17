"""What commands share: one clear line on failure, and finding a row by id or name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError
from django.db import Error as DatabaseError
from django.db.models import Model, QuerySet

from workbench.near import listed_by, near_misses
from workbench.problems import NotFound, Problem


def stated_plainly(handle: Callable[..., None]) -> Callable[..., None]:
    """Turn a problem, or an error of the lakehouse, into one line and a non-zero exit."""

    @functools.wraps(handle)
    def wrapper(*args: Any, **options: Any) -> None:
        try:
            handle(*args, **options)
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        except (DatabaseError, OSError) as error:
            raise CommandError(_in_one_line(error)) from error

    return wrapper


def _in_one_line(error: Exception) -> str:
    words = str(error)
    if isinstance(error, OSError) and error.filename is not None:
        words = f"{error.filename}: {error.strerror}."
    return " ".join(words.split()) or type(error).__name__


def find(among: type[Model] | QuerySet[Any], wanted: str, *, name_field: str = "name") -> Any:
    """Return the row whose id or name is `wanted`. Raises NotFound with near misses and what lists them, or when a name is not unique."""
    rows = among if isinstance(among, QuerySet) else among._default_manager.all()
    if row := rows.filter(pk=wanted).first():
        return row
    found = list(rows.filter(**{name_field: wanted})[:2])
    kind = rows.model._meta.verbose_name
    if len(found) > 1:
        raise NotFound(f"More than one {kind} is named {wanted!r}: give its id.")
    if not found:
        names = list(rows.values_list(name_field, flat=True)[:1000])
        raise NotFound(f"There is no {kind} {wanted!r}.{near_misses(wanted, names)}{listed_by(rows.model, name_field)}")
    return found[0]
