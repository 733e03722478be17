"""What tests let other processes do; loading it loads the project and opens no table."""

from __future__ import annotations

import os
import resource
from itertools import count
from threading import BrokenBarrierError
from typing import Any

import django
from django.apps import apps

if not apps.ready:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.lakehouse.testapp.settings"
    django.setup()

from django.db import IntegrityError, connections
from django.db.models import F

from tests.lakehouse.testapp.models import Counter, Line, Part, Shelf
from workbench.router import LAKEHOUSE

BATCH = 300
CODES = 5


def use(directory: str) -> None:
    """Point this process at a lakehouse."""
    connections.settings[LAKEHOUSE]["NAME"] = directory
    connections[LAKEHOUSE].settings_dict["NAME"] = directory


def together(barrier: Any) -> None:
    """Wait until every racing process has opened the table."""
    Part.objects.exists()
    try:
        barrier.wait(20)
    except BrokenBarrierError:
        raise TimeoutError("The other process never came.") from None


def increment(directory: str, key: str, times: int) -> int:
    """Add one so many times; returns how many updates said that they changed a row."""
    use(directory)
    return sum(Counter.objects.filter(pk=key).update(n=F("n") + 1) for _ in range(times))


def race(directory: str, barrier: Any, verb: str, results: Any) -> None:
    """Do the verb at the same moment as the other processes and report how it went, for each of CODES."""
    use(directory)
    together(barrier)
    for number in range(CODES):
        try:
            results.put((number, VERBS[verb](f"code {number}")))
        except IntegrityError:
            results.put((number, "refused"))


def _create(code: str) -> str:
    return Part.objects.create(name=str(os.getpid()), code=code).pk


def _get_or_create(code: str) -> str:
    return Part.objects.get_or_create(code=code, defaults={"name": str(os.getpid())})[0].pk


def _update_or_create(code: str) -> str:
    return Part.objects.update_or_create(code=code, defaults={"name": str(os.getpid())})[0].pk


def _upsert(code: str) -> str:
    part = Part(name=str(os.getpid()), code=code)
    Part.objects.bulk_create([part], update_conflicts=True, unique_fields=["code"], update_fields=["name"])
    return "written"


def _rename(code: str) -> str:
    """Both processes give their own shelf the same name."""
    return f"renamed {Shelf.objects.filter(pk=Shelf.objects.create(name=f'{code} {os.getpid()}').pk).update(name=code)}"


VERBS = {
    "create": _create,
    "get_or_create": _get_or_create,
    "update_or_create": _update_or_create,
    "upsert": _upsert,
    "rename": _rename,
}


def write_until_killed(directory: str, name: str, started: Any) -> None:
    """Write batches, each in one commit, and change each in one more."""
    use(directory)
    Line.objects.exists()
    started.set()
    for number in count():
        sheet = f"{name}-{number}"
        Line.objects.bulk_create([Line(sheet=sheet, text="old") for _ in range(BATCH)])
        Line.objects.filter(sheet=sheet).update(text="new")


def peak_of_reading(directory: str, sheet: str) -> tuple[int, int]:
    """Return how many lines of a sheet were read one by one, and the peak memory of this process in bytes."""
    use(directory)
    rows = sum(1 for _ in Line.objects.filter(sheet=sheet).iterator())
    return rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def stock(name: str) -> None:
    """A task of the queue."""
    Part.objects.create(name=name, code=f"by process {os.getpid()} of {name}")
