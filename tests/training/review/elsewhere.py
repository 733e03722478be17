"""What tests of review let other processes do; loading it loads the project and opens no table."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import django
from django.apps import apps

if not apps.ready:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workbench.settings")
    django.setup()

from django.conf import settings
from django.db import DatabaseError, connections

from governance import audit
from training.actions.review import review, review_many
from training.models import ReviewPair, TrainingSheet
from training.review import applying
from training.review.frames import frame_of
from training.review.journal import Decision
from training.review.overlay import recounted
from training.review.queue import claim
from workbench import databases
from workbench.router import LAKEHOUSE

KILLED = 9


def use(lakehouse: str, database: str) -> None:
    """Point this process at a lakehouse and at the URL of a default database."""
    for alias, entry in ((LAKEHOUSE, {"NAME": lakehouse}), ("default", databases.default(database))):
        connections.settings[alias] |= entry
        connections[alias] = connections.create_connection(alias)


def apply_until(lakehouse: str, database: str, training_sheet_id: str, statement: int) -> None:
    """Apply what waits; the process is gone before its so-manyth statement that writes anything."""
    use(lakehouse, database)
    applying.LEASE = timedelta(seconds=0.2)
    left = [statement]

    def kill(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "review_sheets" not in sql and not sql.startswith("SELECT"):
            left[0] -= 1
            if not left[0]:
                os._exit(KILLED)
        return execute(sql, params, many, context)

    with connections["default"].execute_wrapper(kill), connections[LAKEHOUSE].execute_wrapper(kill):
        applying.apply_waiting(training_sheet_id, patience=10)


def verify_audit(lakehouse: str, database: str) -> None:
    """End with the number of faults of the audit."""
    use(lakehouse, database)
    sys.exit(len(list(audit.verify())))


def count_and_apply(lakehouse: str, database: str, training_sheet_id: str, told: Any) -> None:
    """Tell the counters of the training sheet before its journal is applied and afterwards."""
    use(lakehouse, database)
    for act in (lambda: 0, lambda: applying.apply_waiting(training_sheet_id)):
        act()
        (counted,) = recounted(TrainingSheet.objects.with_counters().filter(pk=training_sheet_id))
        told.put([counted.total_pairs, counted.rejected_pairs, counted.unlabeled_pairs])


def review_all(lakehouse: str, database: str, training_sheet_id: str, reviewers: list[str], handed_out: Any) -> None:
    """Let the reviewers take and reject pairs, each in a thread, until none is left; tells who was given which."""
    use(lakehouse, database)
    settings.REVIEW_APPLY = "worker"
    # One read for all threads.
    frame_of(training_sheet_id)

    def work(name: str) -> list[tuple[str, str]]:
        given = []
        while isinstance(pair := claim(training_sheet_id, actor=name), ReviewPair):
            given.append((pair.pk, name))
            review(Decision(pair.pk, "reject", version=pair.version, reason="old"), actor=name)
        connections.close_all()
        return given

    with ThreadPoolExecutor(len(reviewers)) as pool:
        for given in pool.map(work, reviewers):
            handed_out.put(given)


def batches_over_each_other(lakehouse: str, database: str, pairs: list[str], told: Any) -> None:
    """Let two reviewers decide about the same pairs at once, one from the other end; tells what was wrong with each."""
    use(lakehouse, database)
    settings.REVIEW_APPLY = "worker"

    def work(order: list[str]) -> str:
        try:
            for verb in ("flag", "reopen") * 5:
                review_many([Decision(pair, verb, reason="old", override=True) for pair in order], actor="rosa")
        except DatabaseError as error:
            return str(error)
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(2) as pool:
        told.put(list(pool.map(work, (pairs, pairs[::-1]))))
