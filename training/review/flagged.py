"""The flagged pairs as a queue of their own: few and rarely asked for, so that they need no window as the waiting ones."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from training.models import QAPair, ReviewPair
from training.review.leases import take
from training.review.queue import ORDERS, WINDOW, Empty, claim, upcoming
from training.review.states import remembered


def upcoming_flagged(
    training_sheet_id: str, *, actor: str, order: str = "risk", most: int = 10, skip: Sequence[str] = ()
) -> list[ReviewPair]:
    """Return the flagged pairs that nobody else holds, in order; nothing is held by looking."""
    remembered(QAPair.objects.filter(training_sheet_id=training_sheet_id, status="flagged")[:WINDOW])
    free = _flagged(training_sheet_id) & ReviewPair.objects.free(actor)
    return list(free.exclude(pk__in=skip).order_by(*ORDERS[order][1])[:most])


def claim_flagged(
    training_sheet_id: str, *, actor: str, order: str = "risk", skip: Sequence[str] = ()
) -> ReviewPair | Empty:
    """Return a flagged pair, held by the actor from now on, or why there is none."""
    for pair in upcoming_flagged(training_sheet_id, actor=actor, order=order, most=WINDOW, skip=skip):
        if take(_flagged(training_sheet_id) & ReviewPair.objects.free(actor).filter(pk=pair.pk), actor=actor):
            return ReviewPair.objects.get(pk=pair.pk)
    held = _flagged(training_sheet_id).exclude(holder__in=["", actor])
    return Empty(held.count(), sorted(set(held.values_list("holder", flat=True))))


def _flagged(training_sheet_id: str) -> QuerySet[ReviewPair]:
    return ReviewPair.objects.filter(training_sheet_id=training_sheet_id, status="flagged")


# How to look ahead and how to take, by the status that is reviewed.
LOOK = {"unlabeled": upcoming, "flagged": upcoming_flagged}
TAKE = {"unlabeled": claim, "flagged": claim_flagged}
