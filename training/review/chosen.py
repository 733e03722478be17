"""The queue of a choice: the window beside the lakehouse for all that waits, and for a filter what the lakehouse has of it.

Pairs of a filter are fewer and asked for less often, so they need no window of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from training.models import QAPair, ReviewPair
from training.review.filters import PairFilters, matching
from training.review.leases import take
from training.review.orders import UNMOVED, order_named
from training.review.queue import ORDERS as WINDOWED
from training.review.queue import WINDOW, Empty, claim, upcoming
from training.review.risk import with_risk
from training.review.states import remembered

WAITING = PairFilters(status=("unlabeled",))


@dataclass(frozen=True)
class Choice:
    """What a queue or a list shows, and in which order."""

    filters: PairFilters = WAITING
    order: str = "risk"

    @property
    def query(self) -> dict[str, Any]:
        """The choice as parameters of a URL."""
        return {"order": self.order, **self.filters.query}

    @property
    def is_all_that_waits(self) -> bool:
        return self.filters == WAITING and self.order in WINDOWED

    @property
    def lasts(self) -> bool:
        """Whether it is the same pairs, in the same order, whatever is decided about them."""
        return self.filters.lasts and self.order in UNMOVED

    def waiting(self) -> Choice:
        """Return the choice, of what waits for review where it names no status."""
        return self if self.filters.status else replace(self, filters=replace(self.filters, status=WAITING.status))


def look(
    training_sheet_id: str, choice: Choice, *, actor: str, most: int = 10, skip: Sequence[str] = (), after: str = ""
) -> list[ReviewPair]:
    """Return the next pairs of the choice that nobody else holds; nothing is held by looking.

    `after` is a pair of the choice: those before it and itself are left out.
    """
    if choice.is_all_that_waits and not after:
        return upcoming(training_sheet_id, actor=actor, order=choice.order, most=most, skip=skip)
    free = _free(training_sheet_id, choice, actor, skip, after)
    return free[:most]


def claim_of(training_sheet_id: str, choice: Choice, *, actor: str, skip: Sequence[str] = ()) -> ReviewPair | Empty:
    """Return the next pair of the choice, held by the actor from now on, or why there is none."""
    if choice.is_all_that_waits:
        return claim(training_sheet_id, actor=actor, order=choice.order, skip=skip)
    for pair in _free(training_sheet_id, choice, actor, skip):
        if take(ReviewPair.objects.free(actor).filter(pk=pair.pk, status=pair.status), actor=actor):
            return ReviewPair.objects.get(pk=pair.pk)
    found = _window(training_sheet_id, choice, actor, skip)
    held = [pair.holder for pair in found if pair.is_held_by_another(actor)]
    return Empty(len(held), sorted(set(held)))


def _free(training_sheet_id: str, choice: Choice, actor: str, skip: Sequence[str], after: str = "") -> list[ReviewPair]:
    found = _window(training_sheet_id, choice, actor, skip, after)
    return [pair for pair in found if not pair.is_held_by_another(actor)]


def _window(
    training_sheet_id: str, choice: Choice, actor: str, skip: Sequence[str], after: str = ""
) -> list[ReviewPair]:
    order = order_named(choice.order)
    pairs = matching(training_sheet_id, choice.filters, reader=actor).exclude(pk__in=skip)
    here = QAPair.objects.of(training_sheet_id)
    last: Any = order.prepare(here.filter(pk=after)).first() if after else None
    if last and choice.order == "risk":
        # As it was when it was fetched, if it was: a decision takes a pair's misfits away, and not its place.
        fetched = ReviewPair.objects.filter(pk=after).values_list("risk", flat=True).first()
        last.risk = last.risk if fetched is None else fetched
    pairs = order.beyond(pairs, order.cursor(last)) if last else order.of(pairs)
    return list(remembered(with_risk(pairs)[:WINDOW]).values())
