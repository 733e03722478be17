"""What commands share: one clear line on failure, and finding a row by id or name."""

from __future__ import annotations

import functools
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django.core.management.base import CommandError
from django.db import Error as DatabaseError
from django.db.models import Model, QuerySet

from workbench.near import listed_by, near_misses
from workbench.problems import NotFound, Problem

# What shells and schedulers know a process by that was ended by a signal.
ENDED = 128


class Terminated(KeyboardInterrupt):
    """SIGTERM, which leaves behind as little as Ctrl-C: a scheduler sends it, where a person presses that."""


def stated_plainly(handle: Callable[..., None]) -> Callable[..., None]:
    """Turn a problem, an error of the lakehouse, Ctrl-C or SIGTERM into one line and a non-zero exit."""

    @functools.wraps(handle)
    def wrapper(*args: Any, **options: Any) -> None:
        try:
            with _terminated_as_interrupted():
                handle(*args, **options)
        except KeyboardInterrupt as stop:
            number = signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT
            raise CommandError(f"Stopped by {number.name} before the end.", returncode=ENDED + number) from stop
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


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Have SIGTERM raise Terminated, where only the main thread may say what a signal does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


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
