"""What to look at next: a window of waiting pairs beside the lakehouse, so that the next one is there at once.

The window is filled from the lakehouse by one statement, again before it runs dry and then after an answer, so that nobody
waits for it but who comes first of all. It is handed out by conditional updates, so that no two reviewers get the same pair.
Once the lakehouse had no further window it is left alone for a while, because the last pairs of a training sheet must not be
slower than the others.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import sample

from django.db.models import Q, QuerySet
from django.utils import timezone

from training.models import QAPair, ReviewPair, ReviewSheet
from training.review.leases import take
from training.review.risk import with_risk
from training.review.states import remembered
from workbench.after_answer import after_answer
from workbench.near import listed
from workbench.problems import Invalid

WINDOW = 200
LOW = 40
TRIED = 40
# How long a lakehouse without a further window is left alone: while some are left, and when none is.
AGAIN, AGAIN_EMPTY = timedelta(seconds=60), timedelta(seconds=5)
FILLING = timedelta(seconds=20)
# Others wait so long for the process that fills an empty queue, before they fetch for themselves.
PATIENCE, TURN = 5.0, 0.05
# Order by name: the mark of its window, and the order.
ORDERS = {"risk": ("by_risk", ("risk", "position")), "sequence": ("in_sequence", ("position",))}


@dataclass(frozen=True)
class Empty:
    """Why nothing is next: pairs that wait but are held by others, and who holds them."""

    held_by_others: int
    holders: list[str]


def upcoming(
    training_sheet_id: str, *, actor: str, order: str = "risk", most: int = 10, skip: Sequence[str] = ()
) -> list[ReviewPair]:
    """Return the next waiting pairs that nobody else holds, in order and without those to skip; nothing is held by looking."""
    return list(_filled(training_sheet_id, actor, order, skip, max(LOW, most))[:most])


def claim(training_sheet_id: str, *, actor: str, order: str = "risk", skip: Sequence[str] = ()) -> ReviewPair | Empty:
    """Return the next waiting pair, held by the actor from now on, or why there is none.

    Who holds one of the training sheet already is given that one again, unless it is to be skipped.
    """
    free = _free(training_sheet_id, actor, order).exclude(pk__in=skip)
    mine = free.filter(holder=actor).values_list("pk", flat=True).first()
    if mine and take(free.filter(pk=mine), actor=actor):
        return ReviewPair.objects.get(pk=mine)
    while True:
        waiting = _filled(training_sheet_id, actor, order, skip, LOW)
        candidates = list(waiting.values_list("pk", flat=True)[:TRIED])
        # Of many who reach for the first at the same moment one gets it; the others must not all reach for the second.
        for key in (*candidates[:1], *sample(candidates[1:], max(0, len(candidates) - 1))):
            if take(waiting.filter(pk=key), actor=actor):
                return ReviewPair.objects.get(pk=key)
        if not candidates:
            return _why_empty(training_sheet_id, actor)


def _why_empty(training_sheet_id: str, actor: str) -> Empty:
    held = _waiting(training_sheet_id).exclude(holder__in=["", actor]).filter(held_until__gte=timezone.now())
    return Empty(held.count(), sorted(set(held.values_list("holder", flat=True))))


def _waiting(training_sheet_id: str) -> QuerySet[ReviewPair]:
    return ReviewPair.objects.filter(training_sheet_id=training_sheet_id, status="unlabeled")


def _free(training_sheet_id: str, actor: str, order: str) -> QuerySet[ReviewPair]:
    if order not in ORDERS:
        raise Invalid.of_fields("The queue has no such order.", {"order": [f"Found {order!r}: use {listed(ORDERS)}."]})
    mark, by = ORDERS[order]
    return (_waiting(training_sheet_id) & ReviewPair.objects.free(actor)).filter(**{mark: True}).order_by(*by)


def _filled(training_sheet_id: str, actor: str, order: str, skip: Sequence[str], least: int) -> QuerySet[ReviewPair]:
    """Return what is free; the next window is fetched where fewer than `least` are, before that where none is."""
    free = _free(training_sheet_id, actor, order).exclude(pk__in=skip)
    count = free.count()
    if count >= least or not _may_have_more(training_sheet_id, order, AGAIN if count else AGAIN_EMPTY):
        return free
    if count:
        after_answer(("fill", training_sheet_id, order), partial(_refill, free, least, training_sheet_id, order))
        return free
    deadline = time.monotonic() + PATIENCE
    while not free.exists() and not fill(training_sheet_id, order) and time.monotonic() < deadline:
        # One process fetches for all.
        time.sleep(TURN)
    return free


def _refill(free: QuerySet[ReviewPair], least: int, training_sheet_id: str, order: str) -> None:
    # Of those who came at the same moment the first has fetched it by now.
    if free.count() < least:
        fill(training_sheet_id, order)


def fill(training_sheet_id: str, order: str = "risk") -> bool:
    """Fetch the next window of waiting pairs, unless another process does now: False then."""
    ReviewSheet.objects.get_or_create(pk=training_sheet_id)
    sheets = ReviewSheet.objects.filter(pk=training_sheet_id)
    if not _take_turn(sheets):
        return False
    try:
        _fetch(training_sheet_id, order)
    finally:
        sheets.update(filling_until=None)
    return True


def _may_have_more(training_sheet_id: str, order: str, pause: timedelta) -> bool:
    mark = ORDERS[order][0]
    sheet, _ = ReviewSheet.objects.get_or_create(pk=training_sheet_id)
    drained: datetime | None = getattr(sheet, f"{mark}_drained_at")
    return drained is None or timezone.now() - drained > pause


def _take_turn(sheets: QuerySet[ReviewSheet]) -> bool:
    now = timezone.now()
    idle = sheets.filter(Q(filling_until=None) | Q(filling_until__lt=now))
    return bool(idle.update(filling_until=now + FILLING))


def _fetch(training_sheet_id: str, order: str) -> None:
    """Fetch the next window of waiting pairs that are not in the queue of this order yet."""
    mark, by = ORDERS[order]
    known = ReviewPair.objects.filter(training_sheet_id=training_sheet_id)
    # What is decided but not applied still waits in the lakehouse.
    here = known.filter(Q(status="unlabeled", **{mark: True}) | Q(waiting__gt=0)).values_list("pk", flat=True)
    pairs = QAPair.objects.filter(training_sheet_id=training_sheet_id, status="unlabeled").exclude(pk__in=list(here))
    found = remembered(with_risk(pairs).order_by(*by)[:WINDOW], **{mark: True})
    drained = timezone.now() if len(found) < WINDOW else None
    ReviewSheet.objects.filter(pk=training_sheet_id).update(**{f"{mark}_drained_at": drained})
