"""What to look at next: a window of waiting pairs beside the lakehouse, so that the next one is there at once.

The window is filled from the lakehouse by one statement, again before it runs dry, and handed out by conditional
updates, so that no two reviewers get the same pair.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Case, F, FloatField, Q, QuerySet, Value, When

from training.models import QAPair, ReviewPair
from training.review.leases import take
from training.review.states import remembered
from workbench.near import listed
from workbench.problems import Invalid

WINDOW = 200
LOW = 40
TRIED = 8
# Order by name: the mark of its window, and the order.
ORDERS = {"risk": ("by_risk", ("risk", "position")), "sequence": ("in_sequence", ("position",))}
RISK = Case(
    When(~Q(error=""), then=Value(-2.0)),
    When(misfits__len__gt=0, then=Value(-1.0)),
    When(ai_confidence__isnull=False, then=F("ai_confidence")),
    default=Value(0.5),
    output_field=FloatField(),
)


@dataclass(frozen=True)
class Empty:
    """Why nothing is next: pairs that wait but are held by others, and who holds them."""

    held_by_others: int
    holders: list[str]


def upcoming(training_sheet_id: str, *, actor: str, order: str = "risk", most: int = 10) -> list[ReviewPair]:
    """Return the next waiting pairs that nobody else holds, in order; nothing is held by looking."""
    free = _free(training_sheet_id, actor, order)
    if free.count() < max(LOW, most):
        _fill(training_sheet_id, order)
    return list(free[:most])


def claim(training_sheet_id: str, *, actor: str, order: str = "risk") -> ReviewPair | Empty:
    """Return the next waiting pair, held by the actor from now on, or why there is none.

    Who holds one of the training sheet already is given that one again.
    """
    free = _free(training_sheet_id, actor, order)
    if (mine := free.filter(holder=actor).first()) and take(free.filter(pk=mine.pk), actor=actor):
        return ReviewPair.objects.get(pk=mine.pk)
    while candidates := upcoming(training_sheet_id, actor=actor, order=order, most=TRIED):
        # Of many who reach for the first at the same moment one gets it; the others try the next.
        for pair in candidates:
            if take(_free(training_sheet_id, actor, order).filter(pk=pair.pk), actor=actor):
                return ReviewPair.objects.get(pk=pair.pk)
    held = _waiting(training_sheet_id).exclude(holder__in=["", actor])
    return Empty(held.count(), sorted(set(held.values_list("holder", flat=True))))


def _waiting(training_sheet_id: str) -> QuerySet[ReviewPair]:
    return ReviewPair.objects.filter(training_sheet_id=training_sheet_id, status="unlabeled")


def _free(training_sheet_id: str, actor: str, order: str) -> QuerySet[ReviewPair]:
    if order not in ORDERS:
        raise Invalid.of_fields("The queue has no such order.", {"order": [f"Found {order!r}: use {listed(ORDERS)}."]})
    mark, by = ORDERS[order]
    return (_waiting(training_sheet_id) & ReviewPair.objects.free(actor)).filter(**{mark: True}).order_by(*by)


def _fill(training_sheet_id: str, order: str) -> None:
    """Fetch the next window of waiting pairs that are not in the queue of this order yet."""
    mark, by = ORDERS[order]
    known = ReviewPair.objects.filter(training_sheet_id=training_sheet_id)
    # What is decided but not applied still waits in the lakehouse.
    here = known.filter(Q(status="unlabeled", **{mark: True}) | Q(waiting__gt=0)).values_list("pk", flat=True)
    pairs = QAPair.objects.filter(training_sheet_id=training_sheet_id, status="unlabeled").exclude(pk__in=list(here))
    if "risk" in by:
        pairs = pairs.annotate(risk=RISK)
    remembered(pairs.order_by(*by)[:WINDOW], **{mark: True})
