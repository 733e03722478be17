"""Who has a pair on the screen: a short lease by one conditional UPDATE, seen by all, renewed while it is looked at."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from training.models import ReviewPair
from training.review.states import expect_known
from workbench.problems import Conflict

LEASE = timedelta(minutes=5)


def hold(pair_id: str, *, actor: str, take_over: bool = False) -> ReviewPair:
    """Return the pair, now held by the actor for five minutes more; Conflict, with who has it, where another does."""
    expect_known(pair_id)
    pairs = ReviewPair.objects.filter(pk=pair_id)
    if not take(pairs if take_over else pairs & ReviewPair.objects.free(actor), actor=actor):
        pair = pairs.get()
        words = f"{pair.holder} has this pair on the screen, for {pair.minutes_held()} min more: take another one."
        problem = Conflict(words)
        problem.details = {"holder": pair.holder}
        raise problem
    return pairs.get()


def take(pairs: QuerySet[ReviewPair], *, actor: str) -> bool:
    """Take or renew the lease of what `pairs` still finds; False where it finds nothing any more."""
    return bool(pairs.update(holder=actor, held_until=timezone.now() + LEASE))


def let_go(pair_id: str, *, actor: str) -> None:
    """Give the pair back, if the actor has it."""
    ReviewPair.objects.filter(pk=pair_id, holder=actor).update(holder="", held_until=None)
