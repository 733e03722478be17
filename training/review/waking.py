"""Tells a worker that something waits in the journal: once while nobody looked, and again when it may have been lost."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import lru_cache

from django.db import DatabaseError
from django.db.models import F, Q
from django.utils import timezone

from training.jobs.queue import enqueue_review, every_minute
from training.models import ReviewSheet
from training.review.applying import apply_waiting, sheets_that_wait

log = logging.getLogger(__name__)

# A worker that was told and did not look for so long is told again.
FORGOTTEN = timedelta(seconds=30)
FIRST_PAUSE, LONGEST_PAUSE = 5, 300


def wake(training_sheet_id: str) -> None:
    """Enqueue the task that applies the journal, unless it waits already or the lakehouse is to be left alone."""
    keep_looking()
    now = timezone.now()
    sheet, _ = ReviewSheet.objects.get_or_create(pk=training_sheet_id)
    told = sheet.enqueued_at
    # A worker that was told forgets it before it looks, and so finds what was recorded before this was read.
    if told and told >= now - FORGOTTEN:
        return
    if ReviewSheet.objects.filter(_due(), pk=training_sheet_id, enqueued_at=told).update(enqueued_at=now):
        enqueue_review(training_sheet_id)


def apply_soon(training_sheet_id: str | None = None) -> int:
    """Apply what waits of the training sheet, or of all, as the worker does; returns how many actions.

    A lakehouse that is away is left alone for a while, longer each time.
    """
    keys = sheets_that_wait() if training_sheet_id is None else [training_sheet_id]
    # Forgotten first: what is recorded from now on enqueues a task of its own.
    ReviewSheet.objects.filter(pk__in=keys).update(enqueued_at=None)
    return sum(_apply(key) for key in keys)


def _apply(training_sheet_id: str) -> int:
    sheet, _ = ReviewSheet.objects.get_or_create(pk=training_sheet_id)
    if sheet.retry_at and sheet.retry_at > timezone.now():
        return 0
    try:
        return apply_waiting(training_sheet_id)
    except (DatabaseError, OSError) as error:
        pause = timedelta(seconds=min(LONGEST_PAUSE, FIRST_PAUSE * 2**sheet.failed))
        log.warning("The journal of training sheet %s waits %s more: %s", training_sheet_id, pause, error)
        ReviewSheet.objects.filter(pk=sheet.pk).update(failed=F("failed") + 1, retry_at=timezone.now() + pause)
        return 0


def _due() -> Q:
    return Q(retry_at=None) | Q(retry_at__lte=timezone.now())


@lru_cache(maxsize=1)
def keep_looking() -> None:
    """Have a worker look each minute; asked of the database once in a process."""
    every_minute("apply reviews", "training.tasks.apply_reviews")
