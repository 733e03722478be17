"""Examines what the workbench stands on, all at once and in bounded time; each app brings the checks of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Literal

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db import connections
from django.utils.module_loading import import_string

from workbench.problems import Problem

# With the start of the command, all ends in less than 30 s.
SECONDS = 20.0

State = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it; nothing where it is well."""

    state: State
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A function without arguments that returns a Finding; `advice` is given where it raises or does not end.

    It begins when the check that it `needs` went well.
    """

    name: str
    function: str
    advice: str
    needs: str = ""


GRANTS = "grant it to who signs in, on the catalog and schema of WORKBENCH_LAKEHOUSE_URL"
CHECKS = (
    Check("secret key", "workbench.health.secret_key", "set WORKBENCH_SECRET_KEY"),
    Check("public URL", "workbench.health.public_url", "set WORKBENCH_PUBLIC_URL"),
    Check(
        "default database",
        "workbench.health.default_database",
        "check WORKBENCH_DATABASE_URL, and that the server runs",
    ),
    Check(
        "lakehouse",
        "workbench.health.lakehouse",
        "check WORKBENCH_LAKEHOUSE_URL, the DATABRICKS_* sign-in, and that the warehouse runs or may start",
    ),
    Check("model", "training.health.model", "check WORKBENCH_LLM_URL, and that the endpoint runs"),
    Check("worker", "workbench.health.worker", "run manage.py worker", needs="default database"),
    Check(
        "rights to read", "workbench.health.reading", f"USE CATALOG, USE SCHEMA, SELECT: {GRANTS}", needs="lakehouse"
    ),
    Check("volumes", "sheets.health.volumes", f"READ VOLUME: {GRANTS}", needs="lakehouse"),
    Check("tags", "sheets.health.tags", f"USE CATALOG: {GRANTS}; unread tags are not “no tags”", needs="lakehouse"),
)
WRITING = Check(
    "rights to write", "workbench.health.writing", f"CREATE TABLE, MODIFY, SELECT: {GRANTS}", needs="lakehouse"
)


def examine(checks: Sequence[Check], seconds: float = SECONDS) -> Iterator[tuple[Check, Finding]]:
    """Yield what each check found, in their order; one that has not ended after `seconds` in all has failed."""
    deadline = time.monotonic() + seconds
    findings: dict[str, Finding] = {}
    running = _started(checks, needs="")
    for check in checks:
        if check.name in running:
            running[check.name].join(max(0.0, deadline - time.monotonic()))
        finding = findings[check.name] = _outcome(check, running, seconds)
        if finding.state != "FAIL":
            running |= _started(checks, needs=check.name)
        yield check, finding


class _Examination(Thread):
    """One check in a thread of its own, which does not keep the process from ending."""

    def __init__(self, check: Check) -> None:
        super().__init__(name=check.name, daemon=True)
        self.check = check
        self.finding: Finding | None = None
        self.start()

    def run(self) -> None:
        try:
            self.finding = import_string(self.check.function)()
        except (Problem, DatabaseError, OSError, ImproperlyConfigured) as error:
            self.finding = Finding("FAIL", " ".join(str(error).split()), self.check.advice)
        finally:
            connections.close_all()


def _started(checks: Sequence[Check], *, needs: str) -> dict[str, _Examination]:
    return {check.name: _Examination(check) for check in checks if check.needs == needs}


def _outcome(check: Check, running: Mapping[str, _Examination], seconds: float) -> Finding:
    if check.name not in running:
        return Finding("warn", f"not checked, as it needs the {check.needs}", f"mend the {check.needs} first")
    examination = running[check.name]
    if examination.is_alive():
        return Finding("FAIL", f"no answer within {seconds:g} s", check.advice)
    return examination.finding or Finding("FAIL", "the check itself failed", "report it with the error above")
