"""Reads see what the journal has: pairs and counts of the lakehouse, with the newest state of review over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from training.models import QAPair, ReviewPair
from training.review.states import show


def newest(pairs: Iterable[QAPair]) -> list[QAPair]:
    """Return the pairs as review left them, whether or not that is applied yet; one query of the default database."""
    read = list(pairs)
    # Also what is applied by now: the pairs may have been read just before.
    known = ReviewPair.objects.in_bulk([pair.pk for pair in read])
    return [show(pair, known[pair.pk]) if pair.pk in known else pair for pair in read]


def with_status(
    pairs: QuerySet[QAPair], statuses: Sequence[str], training_sheet_id: str | None = None
) -> QuerySet[QAPair]:
    """Return the pairs that have one of the statuses now: what waits in the journal counts as applied.

    With a `training_sheet_id` only its journal is looked at, which is enough where `pairs` are all of it.
    """
    waiting = ReviewPair.objects.ahead()
    waiting = waiting.filter(training_sheet_id=training_sheet_id) if training_sheet_id else waiting
    ahead = dict(waiting.values_list("pk", "status"))
    here = [key for key, status in ahead.items() if status in statuses]
    elsewhere = [key for key, status in ahead.items() if status not in statuses]
    return pairs.filter(Q(status__in=statuses) | Q(pk__in=here)).exclude(pk__in=elsewhere)


def recounted(training_sheets: Iterable[Any]) -> list[Any]:
    """Return the training sheets with their counters as review left them; one query of the default database."""
    read = list(training_sheets)
    shifts = ReviewPair.objects.shifts([each.pk for each in read])
    for each in read:
        for counter, by in shifts.get(each.pk, {}).items():
            setattr(each, counter, getattr(each, counter) + by)
    return read
