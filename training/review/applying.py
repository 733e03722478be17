"""Applies the journal to the lakehouse: in the order of the actions, in batches, one process for a training sheet.

What a batch does is in `training.review.steps`. An action that the lakehouse refuses for what it is, is noted and passed
over with those of its pair that follow; a lakehouse that is away stops everything, and nothing is lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import orjson
from django.db import DatabaseError, DataError, IntegrityError
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from sheets.alike import alike_of
from training.models import ReviewAction, ReviewSheet, TrainingSheet
from training.review.frames import Frame, frame_of, mark_closed
from training.review.label_plans import touches_label
from training.review.steps import STEPS, Round
from workbench.problems import Conflict, Problem

MOST = 500
# A warehouse takes one megabyte of parameters; the messages and labels of a round are its largest.
MOST_BYTES = 600_000
LEASE = timedelta(seconds=30)
TURN = 0.05
# An export waits so long for another process that applies.
SETTLE = 30.0

log = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """Another process applies the journal of this training sheet now."""


@dataclass(frozen=True)
class Waiting:
    """What waits in the journal: how many actions, since when, and how many of them the lakehouse refused."""

    actions: int
    since: datetime | None
    refused: int


def waiting() -> Waiting:
    """Return what is acknowledged and not in the lakehouse yet."""
    found = _waiting().aggregate(n=Count("pk"), since=Min("created_at"), refused=Count("pk", filter=~Q(error="")))
    return Waiting(found["n"], found["since"], found["refused"])


def apply_waiting(training_sheet_id: str, *, patience: float = 0.0) -> int:
    """Apply what waits of a training sheet and return how many actions.

    Where another process is at it, this one tries for `patience` seconds. DatabaseError where the lakehouse is away.
    """
    applied, deadline = 0, time.monotonic() + patience
    while _waiting(training_sheet_id).exists():
        with _lease(training_sheet_id) as keep:
            done, ended = _apply_all(training_sheet_id, keep) if keep else (0, False)
        if done:
            # Looks again without the lease: who recorded something just before it was given back found it taken.
            applied += done
        elif ended or time.monotonic() >= deadline:
            break
        else:
            time.sleep(TURN)
    return applied


def sheets_that_wait() -> list[str]:
    """Return the training sheets with something in the journal."""
    return list(_waiting().order_by().values_list("training_sheet_id", flat=True).distinct())


def settle(training_sheet_id: str) -> None:
    """Apply all that was acknowledged until now; Conflict, saying why, where that is not possible."""
    newest = _waiting(training_sheet_id).order_by("-id").values_list("pk", flat=True).first()
    if newest is None:
        return
    why = "another process has been applying them for too long"
    try:
        apply_waiting(training_sheet_id, patience=SETTLE)
    except DatabaseError as error:
        why = f"the lakehouse cannot be written ({error})"
    left = _waiting(training_sheet_id).filter(pk__lte=newest)
    if count := left.count():
        said = left.exclude(error="").values_list("error", flat=True).first()
        raise Conflict(
            f"{count} reviewed decisions are not in the lakehouse yet: {said or why}. Try again in a minute; "
            "`manage.py apply_reviews` says what waits."
        )


def settle_alike(training_sheet: TrainingSheet) -> None:
    """Settle a training sheet and those over the same items: what holds an item out may wait in the journal of any."""
    settle(training_sheet.pk)
    if others := [key for key in sheets_that_wait() if key != training_sheet.pk]:
        alike = TrainingSheet.objects.filter(pk__in=others, sheet_id__in=alike_of(training_sheet.sheet).over_the_table)
        for key in alike.values_list("pk", flat=True):
            settle(key)


def close(training_sheet_id: str) -> None:
    """End the review before a model is trained: no action is taken any more, and all that were taken are applied.

    Conflict where they cannot be applied; the review is closed then all the same.
    """
    mark_closed(training_sheet_id)
    settle(training_sheet_id)


def _waiting(training_sheet_id: str | None = None) -> QuerySet[ReviewAction]:
    found = ReviewAction.objects.filter(applied_at=None)
    return found.filter(training_sheet_id=training_sheet_id) if training_sheet_id else found


def _apply_all(training_sheet_id: str, keep: Callable[[], None]) -> tuple[int, bool]:
    """Return how many were applied, and whether this process came to the end, with the lease in its hands."""
    frame, applied = frame_of(training_sheet_id), 0
    refused: set[str] = set()
    try:
        while actions := _next_actions(training_sheet_id, frame, refused):
            applied += _apply(frame, actions, keep, refused)
    except LeaseLostError:
        log.warning("Another process goes on with the journal of training sheet %s.", training_sheet_id)
        return applied, False
    return applied, True


def _next_actions(training_sheet_id: str, frame: Frame, refused: set[str]) -> list[ReviewAction]:
    """Return the oldest waiting action of each pair that was not refused, up to a round's size."""
    taken: dict[str, ReviewAction] = {}
    size, schema = 0, len(orjson.dumps(dict(frame.output_schema)))
    oldest = _waiting(training_sheet_id).exclude(pair_id__in=refused).select_related("pair", "undoes").order_by("id")
    for action in oldest[:MOST]:
        if action.pair_id in taken:
            continue
        size += len(orjson.dumps(action.after)) + (schema if touches_label(action) else 0)
        if taken and size > MOST_BYTES:
            break
        taken[action.pair_id] = action
    return list(taken.values())


def _apply(frame: Frame, actions: Sequence[ReviewAction], keep: Callable[[], None], refused: set[str]) -> int:
    """Take the actions through the steps; where the lakehouse refuses one, the others go on without it."""
    try:
        round_ = Round(frame, list(actions), keep)
        for step in STEPS:
            keep()
            step(round_)
        return len(actions)
    except (DataError, IntegrityError, Problem) as error:
        if len(actions) > 1:
            middle = len(actions) // 2
            return sum(_apply(frame, half, keep, refused) for half in (actions[:middle], actions[middle:]))
        log.exception("The action %s waits: the lakehouse refused it.", actions[0].action_id)
        ReviewAction.objects.filter(pk=actions[0].pk).update(error=str(error))
        refused.add(actions[0].pair_id)
        return 0


@contextmanager
def _lease(training_sheet_id: str) -> Iterator[Callable[[], None] | None]:
    """Hold the right to apply a training sheet's journal; gives what renews it, None where another process has it."""
    token, now = str(uuid4()), timezone.now()
    ReviewSheet.objects.get_or_create(pk=training_sheet_id)
    free = Q(held_until=None) | Q(held_until__lt=now)
    if not ReviewSheet.objects.filter(free, pk=training_sheet_id).update(token=token, held_until=now + LEASE):
        yield None
        return
    mine = ReviewSheet.objects.filter(pk=training_sheet_id, token=token)

    def keep() -> None:
        if not mine.update(held_until=timezone.now() + LEASE):
            raise LeaseLostError

    try:
        yield keep
    finally:
        mine.update(token="", held_until=None)
