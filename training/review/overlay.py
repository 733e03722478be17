"""Reads see what the journal has: pairs and counts of the lakehouse, with the newest state of review over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet

from training.models import QAPair, ReviewPair
from training.review.states import show


def newest(pairs: Iterable[QAPair]) -> list[QAPair]:
    """Return the pairs as review left them, whether or not that is applied yet; one query of the default database."""
    read = list(pairs)
    ahead = ReviewPair.objects.ahead().in_bulk([pair.pk for pair in read])
    return [show(pair, ahead[pair.pk]) if pair.pk in ahead else pair for pair in read]


def with_status(pairs: QuerySet[QAPair], statuses: Sequence[str]) -> QuerySet[QAPair]:
    """Return the pairs that have one of the statuses now: what waits in the journal counts as applied."""
    ahead = dict(ReviewPair.objects.ahead().values_list("pk", "status"))
    here = [key for key, status in ahead.items() if status in statuses]
    elsewhere = [key for key, status in ahead.items() if status not in statuses]
    return pairs.filter(Q(status__in=statuses) | Q(pk__in=here)).exclude(pk__in=elsewhere)


def shifts(training_sheet_id: str) -> dict[str, int]:
    """Return what the journal adds to the number of pairs of each status, by status; only what is not 0."""
    found: dict[str, int] = {}
    for pair in ReviewPair.objects.ahead().filter(training_sheet_id=training_sheet_id):
        first = pair.actions.filter(applied_at=None).first()
        if first is not None:
            found[first.before["status"]] = found.get(first.before["status"], 0) - 1
            found[pair.status] = found.get(pair.status, 0) + 1
    return {status: count for status, count in found.items() if count}
